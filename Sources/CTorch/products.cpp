#include "Products.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/cpu/Utils.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <array>
#include <atomic>

#include "Guard.hpp"
#include "Loops.hpp"
#include "MKL.hpp"

namespace {

std::atomic<int64_t> multiplications{0};

// Whether oneDNN has better kernels for this processor than MKL: AVX-512, and not MKL's own maker.
bool prefers_one_dnn() {
#if defined(__x86_64__)
  static const bool answer = at::hasMKL() && at::hasMKLDNN() && !__builtin_cpu_is("intel") &&
                             __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  return answer;
#else
  return false;
#endif
}

// Below this many multiplications a call of oneDNN costs more than it saves: it looks its kernel up first.
constexpr int64_t worth_looking_up = int64_t{1} << 20;

using Pointwise = at::Tensor(const at::Tensor &, const at::Tensor &, const std::optional<at::Tensor> &, c10::string_view,
                             c10::List<std::optional<at::Scalar>>, std::optional<c10::string_view>);

// Fewer rows than this cost less than packing the other side; of more, packing is too small a part to be seen.
constexpr int64_t worth_packing = 128, too_many_to_pack = 1024;

std::optional<at::Tensor> given(const at::Tensor &bias) {
  return bias.defined() ? std::optional(bias) : std::nullopt;
}

// x Wᵀ + b by oneDNN; `weight` may be a transposed view.
at::Tensor one_dnn_linear(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias) {
  static const auto op =
    c10::Dispatcher::singleton().findSchemaOrThrow("mkldnn::_linear_pointwise", "").typed<Pointwise>();
  return op.call(x, weight, given(bias), "none", c10::List<std::optional<at::Scalar>>(), "");
}

}  // namespace

namespace ct {

void count_multiplications(int64_t count) { multiplications.fetch_add(count, std::memory_order_relaxed); }

bool Products::one_dnn(int64_t rows, int64_t in, int64_t out) const {
  if (library_ == CT_PRODUCTS_BLAS) return false;
  if (library_ == CT_PRODUCTS_ONEDNN) {
    TORCH_CHECK(at::hasMKLDNN(), "this libtorch has no oneDNN");
    return rows * in * out > 0;
  }
  return prefers_one_dnn() && rows * in * out >= worth_looking_up;
}

Products::Packing Products::packing(int64_t rows, int64_t in, int64_t out) const {
  if (one_dnn(rows, in, out)) return Packing::one_dnn;
  const bool packs = library_ == CT_PRODUCTS_AUTOMATIC && rows >= worth_packing && rows < too_many_to_pack &&
                     rows * in * out >= worth_looking_up;
  return packs && packs_for_mkl() ? Packing::mkl : Packing::none;
}

at::Tensor Products::linear(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias) const {
  count_multiplications(x.numel() * weight.size(0));
  if (one_dnn(x.size(0), x.size(1), weight.size(0))) return one_dnn_linear(x, weight, bias);
  return at::linear(x, weight, given(bias));
}

at::Tensor Products::mm(const at::Tensor &x, const at::Tensor &weight) const {
  count_multiplications(x.numel() * weight.size(1));
  if (one_dnn(x.size(0), x.size(1), weight.size(1))) return one_dnn_linear(x, weight.t(), {});
  return at::mm(x, weight);
}

void Products::outer(const at::Tensor &out, const at::Tensor &x, const at::Tensor &y, bool adds) const {
  count_multiplications(x.numel() * y.size(1));
  if (one_dnn(x.size(1), x.size(0), y.size(1))) {
    const at::Tensor product = one_dnn_linear(x.t(), y.t(), {});
    adds ? out.add_(product) : out.copy_(product);
  } else if (adds) {
    out.addmm_(x.t(), y);
  } else {
    at::Tensor target = out;
    at::mm_out(target, x.t(), y);
  }
}

at::Tensor PackedWeight::packed(Products::Packing library, int64_t rows) {
  const bool one_dnn = library == Products::Packing::one_dnn;
  // What oneDNN's form looks like must not depend on how many rows come first.
  if (one_dnn) rows = 1024;
  const std::lock_guard lock(mutex_);
  if (library_ != library || rows_ != rows || threads_ != at::get_num_threads()) {
    // Never two at once.
    library_ = Products::Packing::none;
    packed_.reset();
    if (one_dnn) {
      packed_ = c10::Dispatcher::singleton()
                  .findSchemaOrThrow("mkldnn::_reorder_linear_weight", "")
                  .typed<at::Tensor(const at::Tensor &, std::optional<int64_t>)>()
                  .call(plain_.to(type_).contiguous(), rows);
    } else {
      packed_ = pack_for_mkl(plain_, rows);
    }
    library_ = library;
    rows_ = rows;
    threads_ = at::get_num_threads();
  }
  return packed_;
}

at::Tensor PackedWeight::operator()(Products::Packing library, const at::Tensor &x, const at::Tensor &bias) {
  const at::Tensor weight = packed(library, x.size(0));
  count_multiplications(x.numel() * plain_.size(0));
  return library == Products::Packing::one_dnn ? one_dnn_linear(x, weight, bias)
                                               : mkl_linear(x, weight, plain_.size(0), bias);
}

bool multiplies_bfloat16() {
  static const bool has_units = [] {
    const auto known = at::cpu::get_cpu_capabilities();
    const auto has = [&](const char *name) {
      const auto found = known.find(name);
      return found != known.end() && found->second.isBool() && found->second.toBool();
    };
    return at::hasMKLDNN() && std::ranges::any_of(std::array{"avx512_bf16", "amx_bf16", "arm_bf16"}, has);
  }();
  return has_units;
}

namespace {

struct LinearOp : torch::autograd::Function<LinearOp> {
  // x: [rows, in]
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &x, const at::Tensor &weight,
                            const std::optional<at::Tensor> &bias, int64_t library) {
    // What no gradient needs is not held.
    context->save_for_backward({weight.requires_grad() ? x : at::Tensor(), x.requires_grad() ? weight : at::Tensor()});
    context->saved_data["library"] = library;
    context->saved_data["biased"] = bias.has_value();
    return Products(static_cast<ct_products>(library)).linear(x, weight, bias.value_or(at::Tensor()));
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 const torch::autograd::variable_list &cotangents) {
    const auto saved = context->get_saved_variables();
    const Products products(static_cast<ct_products>(context->saved_data["library"].toInt()));
    const at::Tensor dy = cotangents[0].contiguous();
    at::Tensor dx, dweight, dbias;
    if (context->needs_input_grad(0)) dx = products.mm(dy, saved[1]);
    if (context->needs_input_grad(1)) {
      dweight = at::empty({dy.size(1), saved[0].size(1)}, dy.options());
      products.outer(dweight, dy, saved[0], false);
    }
    if (context->saved_data["biased"].toBool() && context->needs_input_grad(2)) dbias = dy.sum(0);
    return {dx, dweight, dbias, at::Tensor()};
  }
};

bool is_single(const at::Tensor &x) { return x.is_cpu() && x.scalar_type() == at::kFloat; }

}  // namespace

at::Tensor linear(const at::Tensor &x, const at::Tensor &weight, const std::optional<at::Tensor> &bias,
                  ct_products library) {
  const bool plain =
    x.dim() < 1 || weight.dim() != 2 || x.size(-1) != weight.size(1) || !is_single(x) || !is_single(weight) ||
    (bias && (bias->dim() != 1 || bias->size(0) != weight.size(0) || !is_single(*bias)));
  // What does not fit is at::linear's to refuse.
  if (plain || !Products(library).one_dnn(x.numel() / std::max<int64_t>(1, x.size(-1)), weight.size(1), weight.size(0))) {
    if (weight.dim() == 2) count_multiplications(x.numel() * weight.size(0));
    return at::linear(x, weight, bias);
  }
  auto shape = x.sizes().vec();
  shape.back() = weight.size(0);
  // oneDNN reads biases as they lie.
  const auto offset = bias ? std::optional<at::Tensor>(bias->contiguous()) : std::nullopt;
  const at::Tensor rows = x.reshape({-1, x.size(-1)}).contiguous();
  return LinearOp::apply(rows, weight.contiguous(), offset, static_cast<int64_t>(library)).view(shape);
}

}  // namespace ct

int64_t ct_operations(void) { return 2 * multiplications.load(std::memory_order_relaxed); }
