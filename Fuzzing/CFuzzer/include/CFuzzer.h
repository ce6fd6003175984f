#ifndef BANYAN_CFUZZER_H
#define BANYAN_CFUZZER_H

#include <stddef.h>
#include <stdint.h>

/// What is done with one input; 0 always, as libFuzzer wants it.
typedef int (*banyan_fuzz_input)(const uint8_t *data, size_t size);

/// Hands the process to libFuzzer; -1 where the program was linked without it (`scripts/fuzz` links it).
int banyan_fuzz_run(int *count, char ***arguments, banyan_fuzz_input input);

#endif
