#include "CFuzzer.h"

#ifdef __linux__

/* Weak: absent in a build without libFuzzer. */
extern int LLVMFuzzerRunDriver(int *count, char ***arguments, banyan_fuzz_input input) __attribute__((weak));

int banyan_fuzz_run(int *count, char ***arguments, banyan_fuzz_input input) {
  return LLVMFuzzerRunDriver ? LLVMFuzzerRunDriver(count, arguments, input) : -1;
}

#else

int banyan_fuzz_run(int *count, char ***arguments, banyan_fuzz_input input) { return -1; }

#endif
