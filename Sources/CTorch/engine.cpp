// The engine itself: versions, threads, devices, creation and contents of tensors.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/version.h>

#include <cstring>
#include <sstream>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "Guard.hpp"

struct ct_generator_s {
  at::Generator value;
};

namespace ct {

thread_local std::string last_error;
std::atomic<int64_t> live{0};
std::atomic<int> wanted_threads{0};
thread_local int applied_threads = 0;

void apply_threads() {
  int count = wanted_threads.load(std::memory_order_relaxed);
  at::set_num_threads(count);
  applied_threads = count;
}

std::string describe(const char *op, std::initializer_list<ct_tensor> operands) {
  std::ostringstream text;
  text << op << '(';
  bool first = true;
  for (ct_tensor x : operands) {
    if (!first) text << ", ";
    first = false;
    if (x == nullptr)
      text << "none";
    else
      text << x->value.sizes() << ' ' << c10::toString(x->value.scalar_type());
  }
  text << ')';
  return text.str();
}

std::string message(const std::exception &error) {
  const auto *torch = dynamic_cast<const c10::Error *>(&error);
  return torch ? torch->what_without_backtrace() : error.what();
}

at::ScalarType scalar(ct_dtype dtype) {
  switch (dtype) {
    case CT_FLOAT32: return at::kFloat;
    case CT_FLOAT64: return at::kDouble;
    case CT_FLOAT16: return at::kHalf;
    case CT_BFLOAT16: return at::kBFloat16;
    case CT_INT64: return at::kLong;
    case CT_INT32: return at::kInt;
    case CT_UINT8: return at::kByte;
    case CT_BOOL: return at::kBool;
  }
  throw std::invalid_argument("no such dtype");
}

at::Device device(ct_device device) {
  switch (device) {
    case CT_CPU: return at::Device(at::kCPU);
    case CT_CUDA: return at::Device(at::kCUDA);
    case CT_MPS: return at::Device(at::kMPS);
  }
  throw std::invalid_argument("no such device");
}

}  // namespace ct

using ct::get;
using ct::guard;
using ct::put;

const char *ct_last_error(void) { return ct::last_error.c_str(); }

const char *ct_version(void) { return TORCH_VERSION; }

bool ct_device_available(ct_device device) {
  switch (device) {
    case CT_CPU: return true;
    case CT_CUDA: return at::globalContext().hasCUDA();
    case CT_MPS: return at::globalContext().hasMPS();
  }
  return false;
}

int ct_set_threads(int threads) {
  return guard("set_threads", {}, [&] {
    ct::wanted_threads.store(threads, std::memory_order_relaxed);
    ct::apply_threads();
  });
}

int ct_threads(void) {
  ct::follow_threads();
  return at::get_num_threads();
}

bool ct_set_gradient_recording(bool enabled) {
  bool before = at::GradMode::is_enabled();
  at::GradMode::set_enabled(enabled);
  return before;
}

void ct_keep_memory(void) {
#if defined(__GLIBC__)
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
#endif
}

void ct_give_back_memory(void) {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

int64_t ct_live_tensors(void) { return ct::live.load(std::memory_order_relaxed); }

int ct_from_bytes(const void *bytes, size_t count, ct_dtype dtype, const int64_t *shape, int rank, ct_tensor *out) {
  return guard("from_bytes", {}, [&] {
    at::Tensor x = at::empty(at::IntArrayRef(shape, rank), at::TensorOptions(ct::scalar(dtype)));
    TORCH_CHECK(x.nbytes() == count, "expected ", x.nbytes(), " bytes, found ", count);
    // A bool that is neither 0 nor 1 is undefined behaviour in C++.
    if (dtype == CT_BOOL)
      for (size_t i = 0; i < count; ++i)
        TORCH_CHECK(static_cast<const uint8_t *>(bytes)[i] <= 1, "expected bool bytes of 0 or 1, found ",
                    int{static_cast<const uint8_t *>(bytes)[i]}, " at ", i);
    if (count > 0) std::memcpy(x.data_ptr(), bytes, count);
    put(out, std::move(x));
  });
}

int ct_full(double value, ct_dtype dtype, const int64_t *shape, int rank, ct_device device, ct_tensor *out) {
  return guard("full", {}, [&] {
    put(out, at::full(at::IntArrayRef(shape, rank), value, at::TensorOptions(ct::scalar(dtype)).device(ct::device(device))));
  });
}

int ct_generator_new(uint64_t seed, ct_generator *out) {
  return guard("generator", {}, [&] { *out = new ct_generator_s{at::make_generator<at::CPUGeneratorImpl>(seed)}; });
}

void ct_generator_free(ct_generator generator) { delete generator; }

int ct_random_normal(ct_generator generator, const int64_t *shape, int rank, ct_dtype dtype, ct_tensor *out) {
  return guard("random_normal", {}, [&] {
    put(out, at::randn(at::IntArrayRef(shape, rank), generator->value, at::TensorOptions(ct::scalar(dtype))));
  });
}

int ct_random_uniform(ct_generator generator, const int64_t *shape, int rank, ct_dtype dtype, ct_tensor *out) {
  return guard("random_uniform", {}, [&] {
    put(out, at::rand(at::IntArrayRef(shape, rank), generator->value, at::TensorOptions(ct::scalar(dtype))));
  });
}

int ct_copy_out(ct_tensor x, void *bytes, size_t count) {
  return guard("copy_out", {x}, [&] {
    at::Tensor plain = get(x).detach().to(at::kCPU).contiguous();
    TORCH_CHECK(plain.nbytes() == count, "expected room for ", plain.nbytes(), " bytes, found ", count);
    if (count > 0) std::memcpy(bytes, plain.data_ptr(), count);
  });
}

void ct_free(ct_tensor x) {
  if (x == nullptr) return;
  ct::live.fetch_sub(1, std::memory_order_relaxed);
  delete x;
}

int ct_rank(ct_tensor x) { return static_cast<int>(get(x).dim()); }

void ct_shape(ct_tensor x, int64_t *out) {
  auto sizes = get(x).sizes();
  std::copy(sizes.begin(), sizes.end(), out);
}

ct_dtype ct_dtype_of(ct_tensor x) {
  switch (get(x).scalar_type()) {
    case at::kDouble: return CT_FLOAT64;
    case at::kHalf: return CT_FLOAT16;
    case at::kBFloat16: return CT_BFLOAT16;
    case at::kLong: return CT_INT64;
    case at::kInt: return CT_INT32;
    case at::kByte: return CT_UINT8;
    case at::kBool: return CT_BOOL;
    default: return CT_FLOAT32;
  }
}

ct_device ct_device_of(ct_tensor x) {
  if (get(x).is_cuda()) return CT_CUDA;
  return get(x).is_mps() ? CT_MPS : CT_CPU;
}

int ct_to(ct_tensor x, ct_dtype dtype, ct_device device, ct_tensor *out) {
  return guard("to", {x}, [&] { put(out, get(x).to(ct::device(device), ct::scalar(dtype))); });
}

int ct_clone(ct_tensor x, ct_tensor *out) {
  return guard("clone", {x}, [&] { put(out, get(x).clone(at::MemoryFormat::Contiguous)); });
}

int ct_copy_into(ct_tensor target, ct_tensor source) {
  return guard("copy_into", {target, source}, [&] {
    at::NoGradGuard still;
    TORCH_CHECK(get(target).sizes() == get(source).sizes(), "shapes differ");
    get(target).copy_(get(source));
  });
}

int ct_bitwise_equal(ct_tensor a, ct_tensor b, bool *out) {
  return guard("bitwise_equal", {a, b}, [&] {
    at::Tensor x = get(a).detach().to(at::kCPU).contiguous(), y = get(b).detach().to(at::kCPU).contiguous();
    *out = x.scalar_type() == y.scalar_type() && x.sizes() == y.sizes() &&
           std::memcmp(x.data_ptr(), y.data_ptr(), x.nbytes()) == 0;
  });
}
