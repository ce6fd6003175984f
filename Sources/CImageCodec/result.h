// What the three decoders share: filling in a result. Not part of the target's interface.
#ifndef BANYAN_CIMAGECODEC_RESULT_H
#define BANYAN_CIMAGECODEC_RESULT_H

#include "CImageCodec.h"

// Empties the result, whatever it held.
void banyan_result_reset(banyan_codec_result *result);

// Drops the pixels, keeps the size, notes `message` and returns `status`.
banyan_codec_status banyan_result_fail(
    banyan_codec_result *result, banyan_codec_status status, const char *message);

// Notes the size a header announces, checks it against the limit, and only then allocates the pixels.
banyan_codec_status banyan_result_allocate(
    banyan_codec_result *result, uint32_t width, uint32_t height, uint64_t pixel_limit);

#endif
