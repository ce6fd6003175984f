#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "result.h"

typedef struct {
  const uint8_t *data;
  size_t size;
  size_t position;
  char message[BANYAN_CODEC_MESSAGE_SIZE];
} reading;

typedef struct {
  png_byte colour;
  png_byte depth;
  uint8_t palette[256][3];
} row_format;

static void fail(png_structp codec, png_const_charp message) {
  reading *state = png_get_error_ptr(codec);
  snprintf(state->message, sizeof state->message, "%s", message);
  png_longjmp(codec, 1);
}

static void ignore_warning(png_structp codec, png_const_charp message) {
  (void)codec;
  (void)message;
}

static void read_bytes(png_structp codec, png_bytep target, size_t count) {
  reading *state = png_get_io_ptr(codec);
  if (count > state->size - state->position) png_error(codec, "the file ends too early");
  memcpy(target, state->data + state->position, count);
  state->position += count;
}

// Entries beyond the file's palette are black, as in Pillow.
static void read_palette(png_structp codec, png_infop info, row_format *format) {
  memset(format->palette, 0, sizeof format->palette);
  png_colorp colours = NULL;
  int count = 0;
  if (!png_get_PLTE(codec, info, &colours, &count)) return;
  for (int i = 0; i < count && i < 256; i++) {
    format->palette[i][0] = colours[i].red;
    format->palette[i][1] = colours[i].green;
    format->palette[i][2] = colours[i].blue;
  }
}

// A grey of 16 bits is clipped to 255 rather than scaled, and every other 16-bit sample gives its high byte: what
// Pillow does when it converts them to RGB.
static int is_deep_grey(const row_format *format) {
  return format->colour == PNG_COLOR_TYPE_GRAY && format->depth == 16;
}

static void convert_row(const uint8_t *row, uint8_t *rgb, size_t width, const row_format *format) {
  if (format->colour == PNG_COLOR_TYPE_PALETTE) {
    for (size_t x = 0; x < width; x++, rgb += 3) memcpy(rgb, format->palette[row[x]], 3);
  } else if (format->colour & PNG_COLOR_MASK_COLOR) {
    memcpy(rgb, row, width * 3);
  } else if (is_deep_grey(format)) {
    for (size_t x = 0; x < width; x++, rgb += 3) memset(rgb, row[2 * x] != 0 ? 255 : row[2 * x + 1], 3);
  } else {
    unsigned step = format->depth < 8 ? 255u / ((1u << format->depth) - 1) : 1;
    for (size_t x = 0; x < width; x++, rgb += 3) memset(rgb, (int)(row[x] * step), 3);
  }
}

static banyan_codec_status decode(
    png_structp codec, png_infop info, reading *state, uint64_t pixel_limit, banyan_codec_result *result) {
  uint8_t *volatile rows = NULL;
  if (setjmp(png_jmpbuf(codec))) {
    free(rows);
    return banyan_result_fail(result, BANYAN_CODEC_CORRUPT, state->message);
  }
  png_set_read_fn(codec, state, read_bytes);
  png_set_user_limits(codec, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_read_info(codec, info);

  row_format format;
  png_uint_32 width = png_get_image_width(codec, info);
  png_uint_32 height = png_get_image_height(codec, info);
  format.colour = png_get_color_type(codec, info);
  format.depth = png_get_bit_depth(codec, info);
  banyan_codec_status status = banyan_result_allocate(result, width, height, pixel_limit);
  if (status != BANYAN_CODEC_OK) return status;
  read_palette(codec, info, &format);

  png_set_packing(codec);
  if (!is_deep_grey(&format)) png_set_strip_16(codec);
  png_set_strip_alpha(codec);
  int passes = png_set_interlace_handling(codec);
  png_read_update_info(codec, info);

  // An interlaced picture is whole only after its last pass, so all of its rows are kept until then.
  size_t row_size = png_get_rowbytes(codec, info);
  size_t kept = passes > 1 ? height : 1;
  if (row_size > SIZE_MAX / kept || (rows = calloc(kept, row_size)) == NULL) {
    return banyan_result_fail(result, BANYAN_CODEC_OUT_OF_MEMORY, "there is not enough memory for the rows");
  }
  for (int pass = 0; pass < passes; pass++) {
    for (png_uint_32 y = 0; y < height; y++) {
      uint8_t *row = rows + (passes > 1 ? row_size * y : 0);
      png_read_row(codec, row, NULL);
      if (pass == passes - 1) convert_row(row, result->pixels + (size_t)width * 3 * y, width, &format);
    }
  }
  png_read_end(codec, NULL);
  free(rows);
  return BANYAN_CODEC_OK;
}

banyan_codec_status banyan_codec_decode_png(
    const uint8_t *data, size_t size, uint64_t pixel_limit, banyan_codec_result *result) {
  reading state = {data, size, 0, ""};
  banyan_result_reset(result);
  png_structp codec = png_create_read_struct(PNG_LIBPNG_VER_STRING, &state, fail, ignore_warning);
  png_infop info = codec == NULL ? NULL : png_create_info_struct(codec);
  if (info == NULL) {
    png_destroy_read_struct(&codec, NULL, NULL);
    return banyan_result_fail(result, BANYAN_CODEC_OUT_OF_MEMORY, "the PNG decoder cannot be made");
  }
  banyan_codec_status status = decode(codec, info, &state, pixel_limit, result);
  png_destroy_read_struct(&codec, &info, NULL);
  return status;
}
