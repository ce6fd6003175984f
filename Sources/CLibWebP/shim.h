#ifndef BANYAN_CLIBWEBP_SHIM_H
#define BANYAN_CLIBWEBP_SHIM_H
#include <webp/decode.h>
#endif
