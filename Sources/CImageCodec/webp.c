#include <webp/decode.h>

#include "result.h"

static banyan_codec_status explain(VP8StatusCode code, banyan_codec_result *result) {
  switch (code) {
    case VP8_STATUS_OUT_OF_MEMORY:
      return banyan_result_fail(result, BANYAN_CODEC_OUT_OF_MEMORY, "there is not enough memory to decode the WebP");
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return banyan_result_fail(result, BANYAN_CODEC_UNSUPPORTED, "the WebP uses a feature that is not served");
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
      return banyan_result_fail(result, BANYAN_CODEC_CORRUPT, "the file ends too early");
    default:
      return banyan_result_fail(result, BANYAN_CODEC_CORRUPT, "the WebP bitstream is damaged");
  }
}

banyan_codec_status banyan_codec_decode_webp(
    const uint8_t *data, size_t size, uint64_t pixel_limit, banyan_codec_result *result) {
  banyan_result_reset(result);
  WebPDecoderConfig config;
  if (!WebPInitDecoderConfig(&config)) {
    return banyan_result_fail(result, BANYAN_CODEC_UNSUPPORTED, "the WebP library is of another version");
  }
  VP8StatusCode code = WebPGetFeatures(data, size, &config.input);
  if (code != VP8_STATUS_OK) return explain(code, result);
  if (config.input.has_animation) {
    return banyan_result_fail(result, BANYAN_CODEC_UNSUPPORTED, "expected a still WebP, found an animation");
  }
  if (config.input.width <= 0 || config.input.height <= 0) return explain(VP8_STATUS_BITSTREAM_ERROR, result);

  uint32_t width = (uint32_t)config.input.width;
  uint32_t height = (uint32_t)config.input.height;
  banyan_codec_status status = banyan_result_allocate(result, width, height, pixel_limit);
  if (status != BANYAN_CODEC_OK) return status;
  config.output.colorspace = MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = result->pixels;
  config.output.u.RGBA.stride = (int)(width * 3);
  config.output.u.RGBA.size = (size_t)width * 3 * height;
  code = WebPDecode(data, size, &config);
  WebPFreeDecBuffer(&config.output);
  return code == VP8_STATUS_OK ? BANYAN_CODEC_OK : explain(code, result);
}
