// Where C++ exceptions end: an op runs inside `guard`, which turns what it throws into a code and a message that names
// the op and the shapes it was given.
#pragma once

#include <ATen/core/Tensor.h>

#include <atomic>
#include <initializer_list>
#include <string>

#include "CTorch.h"

struct ct_tensor_s {
  at::Tensor value;
};

namespace ct {

extern thread_local std::string last_error;
extern std::atomic<int64_t> live;
extern std::atomic<int> wanted_threads;
extern thread_local int applied_threads;

void apply_threads();

// libtorch's thread count belongs to the calling thread (it is OpenMP's), while Swift moves work between threads: each op
// first takes over what was last asked for.
inline void follow_threads() {
  if (applied_threads != wanted_threads.load(std::memory_order_relaxed)) apply_threads();
}

inline const at::Tensor &get(ct_tensor x) { return x->value; }

inline void put(ct_tensor *out, at::Tensor value) {
  *out = new ct_tensor_s{std::move(value)};
  live.fetch_add(1, std::memory_order_relaxed);
}

std::string describe(const char *op, std::initializer_list<ct_tensor> operands);
std::string message(const std::exception &error);

template <class Body>
int guard(const char *op, std::initializer_list<ct_tensor> operands, Body body) noexcept {
  try {
    follow_threads();
    body();
    return 0;
  } catch (const std::exception &error) {
    try {
      last_error = describe(op, operands) + ": " + message(error);
    } catch (...) {
      last_error.clear();
    }
  } catch (...) {
    last_error = "an unknown C++ exception";
  }
  return 1;
}

at::ScalarType scalar(ct_dtype dtype);
at::Device device(ct_device device);

}  // namespace ct
