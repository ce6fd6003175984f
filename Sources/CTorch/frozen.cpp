// The parts of frozen blocks, and how a block is made.
//
// Against the same block out of single ops: weights are packed once for the processor's products, the activation's scale is
// moved into the weights, residuals are added where norms and products pass over memory anyway, nothing is recorded for
// frozen weights, and tokens whose outputs nobody reads give keys and values alone.
#include "Frozen.hpp"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/cpu/Utils.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <vector>

#include "Guard.hpp"

namespace {

constexpr double quick_gelu_scale = 1.702;

// oneDNN's operators of libtorch; absent in builds without it.
std::optional<c10::OperatorHandle> operation(const char *name, const char *overload = "") {
  return c10::Dispatcher::singleton().findSchema({name, overload});
}

float *floats(const at::Tensor &x) { return x.data_ptr<float>(); }

at::Tensor flat(const at::Tensor &x) { return x.view({x.numel() / x.size(-1), x.size(-1)}); }

}  // namespace

namespace ct {

// --- products --------------------------------------------------------------------------------------------------------
struct Product::State {
  at::Tensor weight, prepared;
  std::optional<at::Tensor> bias;
  double scale = 1;
  at::ScalarType precision = at::kFloat;
  Form form = Form::as_it_is;
  bool is_packed = false;
  std::once_flag once;

  // Packed without a hint of how many rows will come: a form that followed the first caller's would give the last bits of a
  // run that is gone on with to chance.
  void prepare() {
    static const auto reorder = operation("mkldnn::_reorder_linear_weight");
    at::Tensor own = form == Form::transposed ? weight.t() : weight;
    if (scale != 1) own = own * scale;
    own = own.to(precision);
    if (!multiplies_in_bfloat16()) own = own.to(at::kFloat);
    own = own.contiguous();
    weight = at::Tensor();
    is_packed = linear() && reorder && own.is_cpu();
    if (!is_packed) {
      prepared = own;
      return;
    }
    std::vector<c10::IValue> stack{own, c10::IValue()};
    reorder->callBoxed(&stack);
    prepared = stack.front().toTensor();
  }

  // Without units for it, rounded numbers are multiplied in single precision: five times faster than what emulates them.
  bool multiplies_in_bfloat16() const {
    static const bool has_units = [] {
      const auto known = at::cpu::get_cpu_capabilities();
      return std::ranges::any_of(std::array{"avx512_bf16", "amx_bf16", "arm_bf16"}, [&](const char *name) {
        const auto found = known.find(name);
        return found != known.end() && found->second.isBool() && found->second.toBool();
      });
    }();
    return precision == at::kBFloat16 && has_units;
  }

  static const std::optional<c10::OperatorHandle> &linear() {
    static const auto found = operation("mkldnn::_linear_pointwise");
    return found;
  }

  at::Tensor apply(const at::Tensor &x, const at::Tensor &added) const {
    if (!is_packed) {
      const at::Tensor y = at::linear(x, prepared, bias);
      return added.defined() ? y + added : y;
    }
    static const auto binary = operation("mkldnn::_linear_pointwise", "binary");
    const c10::IValue offset = bias ? c10::IValue(*bias) : c10::IValue();
    std::vector<c10::IValue> stack;
    if (added.defined()) {
      stack = {x, added, prepared, offset, "add"};
      binary->callBoxed(&stack);
    } else {
      stack = {x, prepared, offset, "none", c10::List<std::optional<at::Scalar>>(), ""};
      linear()->callBoxed(&stack);
    }
    return stack.front().toTensor();
  }
};

Product::Product(at::Tensor weight, at::Tensor bias, double scale, at::ScalarType precision, Form form)
    : state_(std::make_shared<State>()) {
  state_->weight = std::move(weight);
  state_->scale = scale;
  state_->precision = precision;
  state_->form = form;
  if (bias.defined())
    state_->bias = bias.to(state_->multiplies_in_bfloat16() ? at::kBFloat16 : at::kFloat).contiguous();
}

at::Tensor Product::operator()(const at::Tensor &x, const at::Tensor &added) const {
  State &state = *state_;
  std::call_once(state.once, [&] { state.prepare(); });
  if (state.precision == at::kFloat) return state.apply(x, added);
  const at::Tensor rounded = x.to(state.precision);
  at::Tensor y = state.multiplies_in_bfloat16() ? state.apply(rounded, {}).to(at::kFloat)
                                                : state.apply(rounded.to(at::kFloat), {});
  return added.defined() ? y.add_(added) : y;
}

// --- norms -----------------------------------------------------------------------------------------------------------
Normed Norm::operator()(const at::Tensor &x) const {
  at::Tensor same = x;
  return after_adding({}, same);
}

Normed Norm::after_adding(const at::Tensor &other, at::Tensor &x) const {
  const int64_t width = x.size(-1), rows = x.numel() / width;
  Normed out{at::empty_like(x), at::empty({rows}, x.options()), at::empty({rows}, x.options())};
  const Rows added = other.defined() ? Rows{floats(other), x.size(1), other.size(1)} : Rows{};
  add_norm(rows, width, {floats(weight), floats(bias), epsilon}, floats(x), added, floats(out.y), floats(out.mean),
           floats(out.rstd));
  return out;
}

at::Tensor Norm::backward(const at::Tensor &dy, const at::Tensor &x, const at::Tensor &mean, const at::Tensor &rstd,
                          const at::Tensor &residual) const {
  const int64_t width = x.size(-1), rows = x.numel() / width;
  at::Tensor dx = at::empty_like(x);
  const bool adds = residual.defined();
  norm_backward(rows, width, {floats(weight), floats(bias), epsilon}, floats(dy), floats(x), floats(mean), floats(rstd),
                adds ? floats(residual) : nullptr, adds ? residual.size(1) : 0, adds ? x.size(1) : 1, floats(dx));
  return dx;
}

// --- blocks ----------------------------------------------------------------------------------------------------------
at::Tensor Block::mlp(const at::Tensor &h, const at::Tensor &x, bool keep, at::Tensor &inner) const {
  at::Tensor s = up(flat(h));
  const at::Tensor a = keep ? (quick_gelu ? at::silu(s) : at::gelu(s)) : (quick_gelu ? at::silu_(s) : at::gelu_(s));
  if (keep) inner = s;
  return down(a, flat(x)).view_as(x);
}

at::Tensor Block::mlp_backward(const at::Tensor &dy, const at::Tensor &inner) const {
  const at::Tensor da = down_t(flat(dy));
  return up_t(quick_gelu ? at::silu_backward(da, inner) : at::gelu_backward(da, inner)).view_as(dy);
}

}  // namespace ct

int ct_block_new(const ct_tensor *weights, int heads, double epsilon, bool quick_gelu, ct_dtype precision,
                 ct_block *out) {
  using ct::Product;
  return ct::guard("frozen block", {weights[2]}, [&] {
    for (int i = 0; i < 12; ++i) {
      const at::Tensor &w = ct::get(weights[i]);
      TORCH_CHECK(w.is_cpu() && w.scalar_type() == at::kFloat, "expected weights in single precision on the processor");
    }
    const auto w = [&](int index) { return ct::get(weights[index]).detach().contiguous(); };
    const at::ScalarType dtype = ct::scalar(precision);
    TORCH_CHECK(dtype == at::kFloat || dtype == at::kBFloat16, "a block multiplies in fp32 or bf16");
    const at::Tensor qkv = w(2), qkv_bias = w(3), output = w(4), up = w(8), down = w(10);
    const int64_t width = qkv.size(1);
    TORCH_CHECK(qkv.size(0) == 3 * width && width % heads == 0, "the weights are no block's");
    // swish(1.702 x) / 1.702 is quick-GELU: the scale belongs to the layer before, its inverse to the layer behind.
    const double scale = quick_gelu ? quick_gelu_scale : 1;
    const auto forward = [&](const at::Tensor &weight, const at::Tensor &bias, double factor = 1) {
      return Product(weight, bias, factor, dtype, Product::Form::as_it_is);
    };
    const auto backward = [&](const at::Tensor &weight, double factor = 1) {
      return Product(weight, at::Tensor(), factor, dtype, Product::Form::transposed);
    };
    const at::Tensor q = qkv.narrow(0, 0, width), kv = qkv.narrow(0, width, 2 * width);
    auto block = c10::make_intrusive<ct::Block>();
    block->heads = heads;
    block->quick_gelu = quick_gelu;
    block->norm1 = {w(0), w(1), epsilon};
    block->norm2 = {w(6), w(7), epsilon};
    block->queries = forward(q, qkv_bias.narrow(0, 0, width));
    block->keys_values = forward(kv, qkv_bias.narrow(0, width, 2 * width));
    block->all = forward(qkv, qkv_bias);
    block->output = forward(output, w(5));
    block->up = forward(up, w(9) * scale, scale);
    block->down = forward(down, w(11), 1 / scale);
    block->queries_t = backward(q);
    block->keys_values_t = backward(kv);
    block->all_t = backward(qkv);
    block->output_t = backward(output);
    block->up_t = backward(up, scale);
    block->down_t = backward(down, 1 / scale);
    *out = new ct_block_s{std::move(block)};
  });
}

void ct_block_free(ct_block block) { delete block; }
