// What the fused blocks of both towers are made of.
#pragma once

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/custom_class.h>

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "Loops.hpp"
#include "Products.hpp"

namespace ct {

// Whether a product takes the weights as they are, or packed once for all calls that follow, for as much memory again in each
// direction: in oneDNN's form alone, which serves any number of rows and is up to a tenth faster, or in MKL's as well, which is
// made anew for another number of rows and is worth it where these are few and the same in all steps. A rule of the call, never
// of what came before it, so that results repeat.
enum class Weights { plain, packed_for_any_rows, packed };

// `x Wᵀ + b` with `W` [out, in], and the gradient for `x`. Where the processor multiplies bf16 the rounded weights are always
// packed.
class Linear {
 public:
  Linear() = default;
  Linear(const at::Tensor &weight, const at::Tensor &bias, at::ScalarType precision, Products products);

  // In what its products take and give numbers: bf16 where the processor has units for it, else single precision.
  at::ScalarType type() const { return halves_ ? at::kBFloat16 : at::kFloat; }
  // [rows, in] in single precision or type() to [rows, out] in single precision.
  at::Tensor operator()(const at::Tensor &x, Weights weights) const { return multiply(x, bias_, weights).to(at::kFloat); }
  at::Tensor without_bias(const at::Tensor &x, Weights weights) const { return multiply(x, {}, weights).to(at::kFloat); }
  const at::Tensor &bias() const { return bias_; }
  // [rows, out] to [rows, in].
  at::Tensor backward(const at::Tensor &dy, Weights weights) const { return turned(dy, weights).to(at::kFloat); }

  // The same with results in type().
  at::Tensor unconverted(const at::Tensor &x, Weights weights) const { return multiply(x, bias_, weights); }
  at::Tensor unconverted_without_bias(const at::Tensor &x, Weights weights) const { return multiply(x, {}, weights); }
  at::Tensor unconverted_backward(const at::Tensor &dy, Weights weights) const { return turned(dy, weights); }

 private:
  at::Tensor multiply(const at::Tensor &x, const at::Tensor &bias, Weights weights) const;
  at::Tensor turned(const at::Tensor &dy, Weights weights) const;
  at::Tensor rounded(const at::Tensor &x) const;
  // Whose packed form a product of so many rows takes, if any.
  Products::Packing packing(int64_t rows, Weights weights) const;

  at::Tensor weight_, bias_;
  at::ScalarType precision_ = at::kFloat;
  Products products_;
  bool halves_ = false;
  std::shared_ptr<PackedWeight> forward_, backward_;
};

// What a norm gives: its result and the moments of each row.
struct Normed {
  at::Tensor y, mean, rstd;
};

struct Norm {
  at::Tensor weight, bias;
  double epsilon;

  // `type` is the result's.
  Normed operator()(const at::Tensor &x, at::ScalarType type = at::kFloat) const;
  // Adds to `x` [groups, count, width] `offset` [width] and the first `count` rows of each group of `other`, then norms it.
  // The sum takes the place of `x`, in single precision even where `x` is in bf16.
  Normed after_adding(const at::Tensor &other, const at::Tensor &offset, at::Tensor &x,
                      at::ScalarType type = at::kFloat) const;
  // The gradient for the input `x`; `residual` [groups, count, width] is added to the first `count` rows of each group.
  at::Tensor backward(const at::Tensor &dy, const at::Tensor &x, const at::Tensor &mean, const at::Tensor &rstd,
                      const at::Tensor &residual = {}) const;
};

// Where a block's weights stand in its list; a bias follows its weight.
enum Place { norm1_at = 0, qkv_at = 2, output_at = 4, norm2_at = 6, up_at = 8, down_at = 10, weight_count = 12 };

// Held by the graph of every result too, so that a backward never outlives it.
struct Block : torch::CustomClassHolder {
  int64_t heads, width;
  bool quick_gelu;
  // Whether attention of pictures runs in our own loops, and in bf16 by the processor's units for tiles.
  bool own_attention, by_tiles;
  Products products;
  Norm norm1, norm2;
  Linear queries, keys_values, all, output, up, down;
  // The weights as they were given; and the same once more where one of them is trained, else nothing.
  std::vector<at::Tensor> weights, trained;

  bool trains() const;

  // The MLP over `x` [rows, width]; `inner` becomes what its activation saw, where it is kept.
  at::Tensor mlp(const at::Tensor &h, const at::Tensor &x, bool keep, Weights weights, at::Tensor &inner) const;
  // The activation alone, out of what it saw.
  at::Tensor activation(const at::Tensor &inner) const;
};

using BlockPointer = c10::intrusive_ptr<Block>;

// The gradients of a block's own weights: of those that are trained, as far as somebody asks.
class WeightGradients {
 public:
  // The weights are the variables of `context` from `first` on.
  WeightGradients(const torch::autograd::AutogradContext &context, const Block &block, size_t first);

  bool wants(int place) const { return wanted_[place]; }
  // The rows of a weight from `row` on, and of the bias behind it, get dyᵀ x and the sum of dy; with `adds`, on top of what
  // they have.
  void linear(int place, const at::Tensor &dy, const at::Tensor &x, int64_t row = 0, bool adds = false);
  void norm(int place, const at::Tensor &dy, const at::Tensor &x, const at::Tensor &mean, const at::Tensor &rstd);
  // The gradient for the MLP's input, normed, [rows, width]; those of its weights on the way. `x` is the norm's input.
  at::Tensor mlp_backward(const at::Tensor &dy, const at::Tensor &inner, const at::Tensor &x, const at::Tensor &mean,
                          const at::Tensor &rstd, Weights weights);

  // Behind `gradients` those of the weights.
  torch::autograd::variable_list after(torch::autograd::variable_list gradients) const;

 private:
  at::Tensor &gradient(int place);

  const Block &block_;
  std::array<bool, weight_count> wanted_{};
  std::array<at::Tensor, weight_count> gradients_;
};

}  // namespace ct

struct ct_block_s {
  ct::BlockPointer value;
};
