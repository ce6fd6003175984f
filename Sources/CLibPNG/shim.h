#ifndef BANYAN_CLIBPNG_SHIM_H
#define BANYAN_CLIBPNG_SHIM_H
#include <png.h>
#endif
