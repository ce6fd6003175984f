// The parts of frozen blocks, and how a block is made.
//
// Against the same block out of single ops: residuals and biases are added where norms pass over memory anyway, quick-GELU and
// its derivative are one pass, nothing is recorded for frozen weights, and tokens whose outputs nobody reads give keys and
// values alone.
#include "Frozen.hpp"

#include <ATen/cpu/Utils.h>

#include <algorithm>
#include <array>

#include "Guard.hpp"

namespace {

float *floats(const at::Tensor &x) { return x.data_ptr<float>(); }

at::Tensor flat(const at::Tensor &x) { return x.view({x.numel() / x.size(-1), x.size(-1)}); }

}  // namespace

namespace ct {

// --- products --------------------------------------------------------------------------------------------------------
namespace {

// Without units for it, rounded numbers are multiplied in single precision: several times faster than what emulates them.
bool multiplies_bfloat16() {
  static const bool has_units = [] {
    const auto known = at::cpu::get_cpu_capabilities();
    return std::ranges::any_of(std::array{"avx512_bf16", "amx_bf16", "arm_bf16"}, [&](const char *name) {
      const auto found = known.find(name);
      return found != known.end() && found->second.isBool() && found->second.toBool();
    });
  }();
  return has_units;
}

}  // namespace

Linear::Linear(const at::Tensor &weight, const at::Tensor &bias, at::ScalarType precision)
    : bias_(bias), precision_(precision) {
  weight_ = rounded(weight);
}

at::Tensor Linear::rounded(const at::Tensor &x) const {
  if (precision_ == at::kFloat) return x;
  const at::Tensor y = x.to(precision_);
  return multiplies_bfloat16() ? y : y.to(at::kFloat);
}

at::Tensor Linear::apply(const at::Tensor &x, const at::Tensor &bias) const {
  const std::optional<at::Tensor> offset = bias.defined() ? std::optional(bias.to(weight_.scalar_type())) : std::nullopt;
  return at::linear(rounded(x), weight_, offset).to(at::kFloat);
}

at::Tensor Linear::backward(const at::Tensor &dy) const { return at::mm(rounded(dy), weight_).to(at::kFloat); }

// --- norms -----------------------------------------------------------------------------------------------------------
Normed Norm::operator()(const at::Tensor &x) const {
  at::Tensor same = x;
  return after_adding({}, {}, same);
}

Normed Norm::after_adding(const at::Tensor &other, const at::Tensor &offset, at::Tensor &x) const {
  const int64_t width = x.size(-1), rows = x.numel() / width;
  Normed out{at::empty_like(x), at::empty({rows}, x.options()), at::empty({rows}, x.options())};
  const Rows added = other.defined() ? Rows{floats(other), x.size(1), other.size(1)} : Rows{};
  add_norm(rows, width, {floats(weight), floats(bias), epsilon}, floats(x), added,
           offset.defined() ? floats(offset) : nullptr, floats(out.y), floats(out.mean), floats(out.rstd));
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
  at::Tensor a;
  if (quick_gelu) {
    a = keep ? at::empty_like(s) : s;
    ct::quick_gelu(s.numel(), floats(s), floats(a));
  } else {
    a = keep ? at::gelu(s) : at::gelu_(s);
  }
  if (keep) inner = s;
  return down(a).add_(flat(x)).view_as(x);
}

at::Tensor Block::mlp_backward(const at::Tensor &dy, const at::Tensor &inner) const {
  at::Tensor d = down.backward(flat(dy));
  if (quick_gelu)
    quick_gelu_backward(d.numel(), floats(inner), floats(d));
  else
    d = at::gelu_backward(d, inner);
  return up.backward(d).view_as(dy);
}

}  // namespace ct

int ct_block_new(const ct_tensor *weights, int heads, double epsilon, bool quick_gelu, ct_dtype precision,
                 ct_block *out) {
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
    const auto linear = [&](const at::Tensor &weight, const at::Tensor &bias) { return ct::Linear(weight, bias, dtype); };
    const at::Tensor q = qkv.narrow(0, 0, width), kv = qkv.narrow(0, width, 2 * width);
    auto block = c10::make_intrusive<ct::Block>();
    block->heads = heads;
    block->quick_gelu = quick_gelu;
    block->norm1 = {w(0), w(1), epsilon};
    block->norm2 = {w(6), w(7), epsilon};
    block->all = linear(qkv, qkv_bias);
    block->queries = linear(q, qkv_bias.narrow(0, 0, width));
    block->keys_values = linear(kv, qkv_bias.narrow(0, width, 2 * width));
    block->output = linear(output, w(5));
    block->up = linear(up, w(9));
    block->down = linear(down, w(11));
    *out = new ct_block_s{std::move(block)};
  });
}

void ct_block_free(ct_block block) { delete block; }
