// Decoding of JPEG, PNG and WebP from memory to 8-bit RGB, and encoding of PNG, through the system's libraries.
//
// The libraries' setjmp/longjmp stays inside this target: every call ends with a code, a message and nothing to clean
// up on failure. Colours are those of Pillow's `Image.open(...).convert("RGB")`: alpha is dropped, not composited.
#ifndef BANYAN_CIMAGECODEC_H
#define BANYAN_CIMAGECODEC_H

#include <stddef.h>
#include <stdint.h>

#define BANYAN_CODEC_MESSAGE_SIZE 256

typedef enum {
  BANYAN_CODEC_OK = 0,
  // The bytes are damaged, cut short, or not of the format.
  BANYAN_CODEC_CORRUPT = 1,
  // The header announces more pixels than the caller allows; nothing of that size was allocated.
  BANYAN_CODEC_TOO_LARGE = 2,
  // The format is right, but this kind of file (an animation, an exotic colour space) is not served.
  BANYAN_CODEC_UNSUPPORTED = 3,
  BANYAN_CODEC_OUT_OF_MEMORY = 4,
} banyan_codec_status;

typedef struct {
  // Interleaved R, G, B; height * width * 3 bytes; released with banyan_codec_free. NULL unless the status is OK.
  uint8_t *pixels;
  // Set as soon as the header is read, so that an error can name the size.
  uint32_t width;
  uint32_t height;
  // What went wrong, without a full stop; empty where nothing did.
  char message[BANYAN_CODEC_MESSAGE_SIZE];
} banyan_codec_result;

banyan_codec_status banyan_codec_decode_jpeg(
    const uint8_t *data, size_t size, uint64_t pixel_limit, banyan_codec_result *result);
banyan_codec_status banyan_codec_decode_png(
    const uint8_t *data, size_t size, uint64_t pixel_limit, banyan_codec_result *result);
banyan_codec_status banyan_codec_decode_webp(
    const uint8_t *data, size_t size, uint64_t pixel_limit, banyan_codec_result *result);

void banyan_codec_free(banyan_codec_result *result);

typedef struct {
  // The file; released with banyan_codec_free_file. NULL unless the status is OK.
  uint8_t *bytes;
  size_t size;
  char message[BANYAN_CODEC_MESSAGE_SIZE];
} banyan_codec_file;

// Encodes `height` rows of `width` pixels without padding. `channels` is 1 (grey) or 3 (R, G, B), `depth` 8 or 16;
// samples of 16 bits are in the machine's byte order. Equal pixels give equal bytes: no time and no text is written.
banyan_codec_status banyan_codec_encode_png(
    const void *pixels, uint32_t width, uint32_t height, int channels, int depth, banyan_codec_file *file);

void banyan_codec_free_file(banyan_codec_file *file);

#endif
