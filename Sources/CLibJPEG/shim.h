#ifndef BANYAN_CLIBJPEG_SHIM_H
#define BANYAN_CLIBJPEG_SHIM_H
// jpeglib.h uses FILE and size_t without including what declares them.
#include <stddef.h>
#include <stdio.h>

#include <jpeglib.h>
#endif
