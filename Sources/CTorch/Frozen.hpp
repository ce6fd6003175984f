// What the frozen blocks of both towers are made of.
#pragma once

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/custom_class.h>

#include <memory>
#include <optional>

#include "Loops.hpp"

namespace ct {

// `scale · x Wᵀ + b` with a frozen `W` (or `Wᵀ` in its place), packed when it is first needed. Until then nothing is copied.
class Product {
 public:
  enum class Form { as_it_is, transposed };

  Product() = default;
  Product(at::Tensor weight, at::Tensor bias, double scale, at::ScalarType precision, Form form);

  // [rows, in] to [rows, out], both in single precision; `added` [rows, out] comes on top.
  at::Tensor operator()(const at::Tensor &x, const at::Tensor &added = {}) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// What a norm gives: its result and the moments of each row.
struct Normed {
  at::Tensor y, mean, rstd;
};

struct Norm {
  at::Tensor weight, bias;
  double epsilon;

  Normed operator()(const at::Tensor &x) const;
  // Adds to `x` [groups, count, width] in place the first `count` rows of each group of `other`, then norms it.
  Normed after_adding(const at::Tensor &other, at::Tensor &x) const;
  // The gradient for the input `x`; `residual` [groups, count, width] is added to the first `count` rows of each group.
  at::Tensor backward(const at::Tensor &dy, const at::Tensor &x, const at::Tensor &mean, const at::Tensor &rstd,
                      const at::Tensor &residual = {}) const;
};

// Held by the graph of every result too, so that a backward never outlives it.
struct Block : torch::CustomClassHolder {
  int64_t heads;
  bool quick_gelu;
  Norm norm1, norm2;
  // Forward, and the transposed ones for gradients with respect to inputs.
  Product queries, keys_values, all, output, up, down;
  Product queries_t, keys_values_t, all_t, output_t, up_t, down_t;

  // The MLP over `x` [rows, width]; `inner` becomes what its activation saw, where it is kept.
  at::Tensor mlp(const at::Tensor &h, const at::Tensor &x, bool keep, at::Tensor &inner) const;
  at::Tensor mlp_backward(const at::Tensor &dy, const at::Tensor &inner) const;
};

using BlockPointer = c10::intrusive_ptr<Block>;

}  // namespace ct

struct ct_block_s {
  ct::BlockPointer value;
};
