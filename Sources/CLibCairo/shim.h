#ifndef BANYAN_CLIBCAIRO_SHIM_H
#define BANYAN_CLIBCAIRO_SHIM_H
#include <cairo.h>
#endif
