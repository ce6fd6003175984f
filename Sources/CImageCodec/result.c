#include "result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void banyan_result_reset(banyan_codec_result *result) { memset(result, 0, sizeof *result); }

banyan_codec_status banyan_result_fail(
    banyan_codec_result *result, banyan_codec_status status, const char *message) {
  banyan_codec_free(result);
  snprintf(result->message, sizeof result->message, "%s", message);
  return status;
}

banyan_codec_status banyan_result_allocate(
    banyan_codec_result *result, uint32_t width, uint32_t height, uint64_t pixel_limit) {
  result->width = width;
  result->height = height;
  if (width == 0 || height == 0) {
    return banyan_result_fail(result, BANYAN_CODEC_CORRUPT, "the header announces no pixels");
  }
  uint64_t pixels = (uint64_t)width * height;
  if (pixels > pixel_limit || pixels > SIZE_MAX / 3) {
    return banyan_result_fail(result, BANYAN_CODEC_TOO_LARGE, "the header announces too many pixels");
  }
  result->pixels = malloc((size_t)pixels * 3);
  if (result->pixels == NULL) {
    return banyan_result_fail(result, BANYAN_CODEC_OUT_OF_MEMORY, "there is not enough memory for the pixels");
  }
  return BANYAN_CODEC_OK;
}

void banyan_codec_free(banyan_codec_result *result) {
  free(result->pixels);
  result->pixels = NULL;
}
