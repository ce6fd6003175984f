// Products of matrices in single precision and in bf16 on the processor, by one of the two libraries inside libtorch.
//
// MKL is what at::linear and at::mm call. On processors of other makers than its own it stays with AVX2, where oneDNN writes
// its kernels for whatever it finds (Documentation/Performance.md). Which one multiplies depends on the processor and on the
// shapes alone, so that results repeat.
#pragma once

#include <ATen/core/Tensor.h>

#include <mutex>
#include <optional>

#include "CTorch.h"

namespace ct {

class Products {
 public:
  explicit Products(ct_products library = CT_PRODUCTS_AUTOMATIC) : library_(library) {}

  // x Wᵀ + b: [rows, in] times [out, in].
  at::Tensor linear(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias = {}) const;
  // x W: [rows, in] times [in, out].
  at::Tensor mm(const at::Tensor &x, const at::Tensor &weight) const;
  // out = xᵀ y, or on top of what is there: [rows, n]ᵀ times [rows, m].
  void outer(const at::Tensor &out, const at::Tensor &x, const at::Tensor &y, bool adds) const;

  // Whether oneDNN multiplies [rows, in] with [in, out].
  bool one_dnn(int64_t rows, int64_t in, int64_t out) const;
  // Whose packed form is worth having for such a product. MKL's takes a fifth off a product of some hundred rows and nothing off one of
  // some thousand (Documentation/Performance.md); it is never taken where BLAS is asked for.
  enum class Packing { none, mkl, one_dnn };
  Packing packing(int64_t rows, int64_t in, int64_t out) const;

 private:
  ct_products library_;
};

// A matrix [out, in] as a library wants it for products with rows in a type; made when it is first used. oneDNN's form serves
// any number of rows, MKL's the one that it was made for, and is made anew for another: that costs what a plain product would
// have spent on it. Either may depend on the number of threads. No product depends on those before it.
class PackedWeight {
 public:
  // `weight` is in single precision, may be a transposed view, and must not change.
  PackedWeight(at::Tensor weight, at::ScalarType type) : plain_(std::move(weight)), type_(type) {}

  // x Wᵀ + b, all of the type; by MKL in single precision only.
  at::Tensor operator()(Products::Packing library, const at::Tensor &x, const at::Tensor &bias = {});

 private:
  at::Tensor packed(Products::Packing library, int64_t rows);

  const at::Tensor plain_;
  const at::ScalarType type_;
  std::mutex mutex_;
  at::Tensor packed_;
  Products::Packing library_ = Products::Packing::none;
  int64_t rows_ = 0;
  int threads_ = 0;
};

// Whether the processor multiplies bf16 by itself: without units for it, rounded numbers are multiplied in single precision,
// several times faster than what emulates them.
bool multiplies_bfloat16();

// at::linear with its gradients, by either library.
at::Tensor linear(const at::Tensor &x, const at::Tensor &weight, const std::optional<at::Tensor> &bias,
                  ct_products library);

}  // namespace ct
