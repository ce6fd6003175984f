// What MKL, inside libtorch, offers for a matrix that many products share.
#pragma once

#include <ATen/core/Tensor.h>

namespace ct {

// Whether this libtorch has it.
bool packs_for_mkl();
// W [out, in] in single precision, or a transposed view, for products with so many rows; nothing but mkl_linear reads it.
at::Tensor pack_for_mkl(const at::Tensor &weight, int64_t rows);
// x Wᵀ + b with as many rows as `packed` was made for: [rows, out].
at::Tensor mkl_linear(const at::Tensor &x, const at::Tensor &packed, int64_t out, const at::Tensor &bias);

}  // namespace ct
