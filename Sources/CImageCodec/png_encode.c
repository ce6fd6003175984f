#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>
#include <zlib.h>

#include "CImageCodec.h"

// Fast rather than small: pictures are made by the ten thousand. With each pixel's left neighbour taken off, flat parts
// are runs and the rest is noise, so runs are all that is looked for; small tables take less time to clear.
enum { COMPRESSION_LEVEL = 1, MEMORY_LEVEL = 5, FIRST_CAPACITY = 1 << 13 };

typedef struct {
  banyan_codec_file *file;
  size_t capacity;
  int is_out_of_memory;
} writing;

static void fail(png_structp codec, png_const_charp message) {
  writing *state = png_get_error_ptr(codec);
  snprintf(state->file->message, sizeof state->file->message, "%s", message);
  png_longjmp(codec, 1);
}

static void ignore_warning(png_structp codec, png_const_charp message) {
  (void)codec;
  (void)message;
}

static void write_bytes(png_structp codec, png_bytep source, size_t count) {
  writing *state = png_get_io_ptr(codec);
  banyan_codec_file *file = state->file;
  if (count > state->capacity - file->size) {
    size_t capacity = state->capacity == 0 ? FIRST_CAPACITY : state->capacity;
    while (capacity - file->size < count && capacity <= SIZE_MAX / 2) capacity *= 2;
    uint8_t *bytes = capacity - file->size < count ? NULL : realloc(file->bytes, capacity);
    if (bytes == NULL) {
      state->is_out_of_memory = 1;
      png_error(codec, "there is not enough memory for the file");
    }
    file->bytes = bytes;
    state->capacity = capacity;
  }
  memcpy(file->bytes + file->size, source, count);
  file->size += count;
}

static void flush_nothing(png_structp codec) { (void)codec; }

static int is_little_endian(void) {
  const uint16_t one = 1;
  uint8_t first;
  memcpy(&first, &one, 1);
  return first == 1;
}

static banyan_codec_status encode(
    png_structp codec, png_infop info, writing *state, const uint8_t *pixels, uint32_t width, uint32_t height,
    int channels, int depth) {
  if (setjmp(png_jmpbuf(codec))) return state->is_out_of_memory ? BANYAN_CODEC_OUT_OF_MEMORY : BANYAN_CODEC_UNSUPPORTED;
  png_set_write_fn(codec, state, write_bytes, flush_nothing);
  png_set_user_limits(codec, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_set_compression_level(codec, COMPRESSION_LEVEL);
  png_set_compression_mem_level(codec, MEMORY_LEVEL);
  png_set_compression_strategy(codec, Z_RLE);
  png_set_filter(codec, PNG_FILTER_TYPE_BASE, PNG_FILTER_SUB);
  png_set_IHDR(
      codec, info, width, height, depth, channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY,
      PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(codec, info);
  if (depth == 16 && is_little_endian()) png_set_swap(codec);
  size_t row_size = (size_t)width * (size_t)channels * (size_t)(depth / 8);
  for (uint32_t y = 0; y < height; y++) png_write_row(codec, pixels + row_size * y);
  png_write_end(codec, info);
  return BANYAN_CODEC_OK;
}

banyan_codec_status banyan_codec_encode_png(
    const void *pixels, uint32_t width, uint32_t height, int channels, int depth, banyan_codec_file *file) {
  memset(file, 0, sizeof *file);
  writing state = {file, 0, 0};
  png_structp codec = png_create_write_struct(PNG_LIBPNG_VER_STRING, &state, fail, ignore_warning);
  png_infop info = codec == NULL ? NULL : png_create_info_struct(codec);
  if (info == NULL) {
    png_destroy_write_struct(&codec, NULL);
    snprintf(file->message, sizeof file->message, "the PNG encoder cannot be made");
    return BANYAN_CODEC_OUT_OF_MEMORY;
  }
  banyan_codec_status status = encode(codec, info, &state, pixels, width, height, channels, depth);
  png_destroy_write_struct(&codec, &info);
  if (status != BANYAN_CODEC_OK) banyan_codec_free_file(file);
  return status;
}

void banyan_codec_free_file(banyan_codec_file *file) {
  free(file->bytes);
  file->bytes = NULL;
  file->size = 0;
}
