// What the frozen blocks of both towers are made of.
#pragma once

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/custom_class.h>

#include <memory>
#include <optional>

#include "Loops.hpp"

namespace ct {

// `x Wᵀ + b` with a frozen `W` [out, in], and the gradient for `x`. In single precision nothing is copied: libtorch's own
// products are as fast here as oneDNN's with packed weights (Documentation/Performance.md).
class Linear {
 public:
  Linear() = default;
  Linear(const at::Tensor &weight, const at::Tensor &bias, at::ScalarType precision);

  // [rows, in] to [rows, out], both in single precision.
  at::Tensor operator()(const at::Tensor &x) const { return apply(x, bias_); }
  at::Tensor without_bias(const at::Tensor &x) const { return apply(x, {}); }
  const at::Tensor &bias() const { return bias_; }
  // [rows, out] to [rows, in].
  at::Tensor backward(const at::Tensor &dy) const;

 private:
  at::Tensor apply(const at::Tensor &x, const at::Tensor &bias) const;
  at::Tensor rounded(const at::Tensor &x) const;

  at::Tensor weight_, bias_;
  at::ScalarType precision_ = at::kFloat;
};

// What a norm gives: its result and the moments of each row.
struct Normed {
  at::Tensor y, mean, rstd;
};

struct Norm {
  at::Tensor weight, bias;
  double epsilon;

  Normed operator()(const at::Tensor &x) const;
  // Adds to `x` [groups, count, width] in place `offset` [width] and the first `count` rows of each group of `other`, then
  // norms it.
  Normed after_adding(const at::Tensor &other, const at::Tensor &offset, at::Tensor &x) const;
  // The gradient for the input `x`; `residual` [groups, count, width] is added to the first `count` rows of each group.
  at::Tensor backward(const at::Tensor &dy, const at::Tensor &x, const at::Tensor &mean, const at::Tensor &rstd,
                      const at::Tensor &residual = {}) const;
};

// Held by the graph of every result too, so that a backward never outlives it.
struct Block : torch::CustomClassHolder {
  int64_t heads;
  bool quick_gelu;
  Norm norm1, norm2;
  Linear queries, keys_values, all, output, up, down;

  // The MLP over `x` [rows, width]; `inner` becomes what its activation saw, where it is kept.
  at::Tensor mlp(const at::Tensor &h, const at::Tensor &x, bool keep, at::Tensor &inner) const;
  at::Tensor mlp_backward(const at::Tensor &dy, const at::Tensor &inner) const;
};

using BlockPointer = c10::intrusive_ptr<Block>;

}  // namespace ct

struct ct_block_s {
  ct::BlockPointer value;
};
