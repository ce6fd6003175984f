#include "MKL.hpp"

#include <ATen/ATen.h>
#include <sys/mman.h>

#include <algorithm>

// MKL's interface with 32-bit integers, by the names of its documentation; weak, since a libtorch without MKL lacks it.
//
// libtorch's own op for it (mkl::_mkl_reorder_linear_weight) takes ordinary memory, where MKL asks for three times what it
// fills: 850 MiB more for a CoOp step instead of 150.
#if defined(__linux__) && defined(__x86_64__)
#define BANYAN_MKL 1
extern "C" {
[[gnu::weak]] size_t cblas_sgemm_pack_get_size(int identifier, int m, int n, int k);
[[gnu::weak]] void cblas_sgemm_pack(int layout, int identifier, int transposed, int m, int n, int k, float alpha, const float *source,
                                    int leading, float *packed);
[[gnu::weak]] void cblas_sgemm_compute(int layout, int a_form, int b_form, int m, int n, int k, const float *a, int a_leading,
                                       const float *b, int b_leading, float beta, float *c, int c_leading);
}
#endif

#ifdef BANYAN_MKL
namespace {

enum { row_major = 101, as_it_is = 111, transposed = 112, packed_form = 151, right_matrix = 162 };

int narrow(int64_t value) {
  TORCH_CHECK(value <= INT32_MAX, "a matrix of ", value, " rows or columns is beyond MKL");
  return static_cast<int>(value);
}

// Pages that cost nothing until something is written to them.
at::Tensor fresh_pages(size_t bytes) {
  void *pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  TORCH_CHECK(pages != MAP_FAILED, "no memory for packed weights of ", bytes, " bytes");
  return at::from_blob(
    pages, {static_cast<int64_t>(bytes / sizeof(float))}, [bytes](void *start) { munmap(start, bytes); }, at::kFloat);
}

}  // namespace

namespace ct {

bool packs_for_mkl() {
  return at::hasMKL() && cblas_sgemm_pack_get_size && cblas_sgemm_pack && cblas_sgemm_compute;
}

at::Tensor pack_for_mkl(const at::Tensor &weight, int64_t rows) {
  const bool by_rows = weight.stride(1) == 1;
  TORCH_CHECK(weight.scalar_type() == at::kFloat && (by_rows || weight.stride(0) == 1), "a matrix that lies by no axis");
  const int m = narrow(rows), n = narrow(weight.size(0)), k = narrow(weight.size(1));
  const at::Tensor packed = fresh_pages(cblas_sgemm_pack_get_size(right_matrix, m, n, k));
  cblas_sgemm_pack(row_major, right_matrix, by_rows ? transposed : as_it_is, m, n, k, 1, weight.const_data_ptr<float>(),
                   narrow(weight.stride(by_rows ? 0 : 1)), packed.mutable_data_ptr<float>());
  return packed;
}

at::Tensor mkl_linear(const at::Tensor &x, const at::Tensor &packed, int64_t out, const at::Tensor &bias) {
  const at::Tensor rows = x.contiguous(), y = at::empty({x.size(0), out}, x.options());
  if (bias.defined()) y.copy_(bias.expand_as(y));
  const int m = narrow(x.size(0)), n = narrow(out), k = narrow(x.size(1));
  cblas_sgemm_compute(row_major, as_it_is, packed_form, m, n, k, rows.const_data_ptr<float>(), k,
                      packed.const_data_ptr<float>(), std::max(n, k), bias.defined() ? 1 : 0, y.mutable_data_ptr<float>(), n);
  return y;
}

}  // namespace ct
#else
namespace ct {

bool packs_for_mkl() { return false; }
at::Tensor pack_for_mkl(const at::Tensor &, int64_t) { TORCH_CHECK(false, "this libtorch has no MKL"); }
at::Tensor mkl_linear(const at::Tensor &, const at::Tensor &, int64_t, const at::Tensor &) {
  TORCH_CHECK(false, "this libtorch has no MKL");
}

}  // namespace ct
#endif
