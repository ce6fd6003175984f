#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

#include "result.h"

// A progressive file may hold any number of scans, each of which costs a pass over every coefficient; real encoders
// write about ten. Beyond twenty, scans times pixels are bounded too: passes over large pictures take long.
enum { scan_limit = 500, usual_scans = 20 };
static const uint64_t scanned_pixel_limit = 1000000000;

typedef struct {
  struct jpeg_error_mgr base;
  jmp_buf escape;
  char message[JMSG_LENGTH_MAX];
} error_manager;

static _Noreturn void leave(j_common_ptr codec) {
  error_manager *errors = (error_manager *)codec->err;
  codec->err->format_message(codec, errors->message);
  longjmp(errors->escape, 1);
}

// libjpeg goes on after damaged data and fills the rest with grey. Here damage to the pixels is an error; remarks that
// leave the pixels whole (an odd marker, stray bytes between markers) are not.
static void judge_message(j_common_ptr codec, int level) {
  if (level >= 0) return;
  switch (codec->err->msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
      leave(codec);
    default:
      codec->err->num_warnings++;
  }
}

static void watch_scans(j_common_ptr codec) {
  if (!codec->is_decompressor) return;
  j_decompress_ptr decoder = (j_decompress_ptr)codec;
  const uint64_t scans = (uint64_t)decoder->input_scan_number;
  if (scans > scan_limit
      || (scans > usual_scans && scans * decoder->image_width * decoder->image_height > scanned_pixel_limit)) {
    error_manager *errors = (error_manager *)codec->err;
    strcpy(errors->message, "the file has more scans than a picture of its size needs");
    longjmp(errors->escape, 1);
  }
}

// Adobe writes the four inks inverted, and so does everyone after it: a byte is 255 minus the ink. The product is
// rounded as (a * b) / 255 to the nearest integer.
static void convert_inks(const JSAMPLE *inks, uint8_t *rgb, uint32_t width) {
  for (uint32_t x = 0; x < width; x++, inks += 4, rgb += 3) {
    unsigned light = inks[3];
    for (int channel = 0; channel < 3; channel++) {
      unsigned product = (255u - inks[channel]) * light + 128;
      rgb[channel] = (uint8_t)(light - (((product >> 8) + product) >> 8));
    }
  }
}

static void spread_grey(uint8_t *row, uint32_t width) {
  // From the end, so that no grey byte is overwritten before it is read.
  for (size_t x = width; x-- > 0;) {
    uint8_t grey = row[x];
    row[3 * x] = row[3 * x + 1] = row[3 * x + 2] = grey;
  }
}

banyan_codec_status banyan_codec_decode_jpeg(
    const uint8_t *data, size_t size, uint64_t pixel_limit, banyan_codec_result *result) {
  struct jpeg_decompress_struct codec;
  struct jpeg_progress_mgr progress;
  error_manager errors;
  JSAMPLE *volatile inks = NULL;

  banyan_result_reset(result);
  if (size > (unsigned long)-1) return banyan_result_fail(result, BANYAN_CODEC_TOO_LARGE, "the file is too long");
  memset(&codec, 0, sizeof codec);
  codec.err = jpeg_std_error(&errors.base);
  errors.base.error_exit = leave;
  errors.base.emit_message = judge_message;
  errors.message[0] = 0;
  if (setjmp(errors.escape)) {
    jpeg_destroy_decompress(&codec);
    free(inks);
    return banyan_result_fail(result, BANYAN_CODEC_CORRUPT, errors.message);
  }

  jpeg_create_decompress(&codec);
  memset(&progress, 0, sizeof progress);
  progress.progress_monitor = watch_scans;
  codec.progress = &progress;
  jpeg_mem_src(&codec, data, (unsigned long)size);
  jpeg_read_header(&codec, TRUE);

  banyan_codec_status status =
      banyan_result_allocate(result, codec.image_width, codec.image_height, pixel_limit);
  if (status != BANYAN_CODEC_OK) {
    jpeg_destroy_decompress(&codec);
    return status;
  }
  switch (codec.num_components) {
    case 1: codec.out_color_space = JCS_GRAYSCALE; break;
    case 3: codec.out_color_space = JCS_RGB; break;
    case 4:
      codec.out_color_space = JCS_CMYK;
      inks = malloc((size_t)codec.image_width * 4);
      if (inks == NULL) {
        jpeg_destroy_decompress(&codec);
        return banyan_result_fail(result, BANYAN_CODEC_OUT_OF_MEMORY, "there is not enough memory for one row");
      }
      break;
    default:
      jpeg_destroy_decompress(&codec);
      return banyan_result_fail(
          result, BANYAN_CODEC_UNSUPPORTED, "expected 1, 3 or 4 colour components in the JPEG");
  }
  jpeg_start_decompress(&codec);
  size_t row_size = (size_t)codec.output_width * 3;
  while (codec.output_scanline < codec.output_height) {
    uint8_t *target = result->pixels + row_size * codec.output_scanline;
    JSAMPROW row = inks != NULL ? inks : target;
    if (jpeg_read_scanlines(&codec, &row, 1) != 1) {
      strcpy(errors.message, "the rows end too early");
      longjmp(errors.escape, 1);
    }
    if (inks != NULL) {
      convert_inks(inks, target, codec.output_width);
    } else if (codec.num_components == 1) {
      spread_grey(target, codec.output_width);
    }
  }
  // Reads on to the end marker, so that a file that lacks it is found out.
  jpeg_finish_decompress(&codec);
  jpeg_destroy_decompress(&codec);
  free(inks);
  return BANYAN_CODEC_OK;
}
