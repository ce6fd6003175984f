// The parts of fused blocks, and how a block is made.
//
// Against the same block out of single ops: residuals and biases are added where norms pass over memory anyway, quick-GELU and
// its derivative are one pass, nothing is recorded for frozen weights, what trained ones need is computed again where that is
// one pass, and tokens whose outputs nobody reads give keys and values alone.
#include "Attention.hpp"
#include "Block.hpp"

#include "Guard.hpp"

namespace {

float *floats(const at::Tensor &x) { return x.data_ptr<float>(); }

ct::Numbers numbers(const at::Tensor &x) { return {x.data_ptr(), x.scalar_type() == at::kBFloat16}; }

at::Tensor flat(const at::Tensor &x) { return x.view({x.numel() / x.size(-1), x.size(-1)}); }

}  // namespace

namespace ct {

// --- products --------------------------------------------------------------------------------------------------------
Linear::Linear(const at::Tensor &weight, const at::Tensor &bias, at::ScalarType precision, Products products)
    : bias_(bias), precision_(precision), products_(products) {
  halves_ = precision == at::kBFloat16 && multiplies_bfloat16();
  const at::Tensor given = halves_ ? weight : rounded(weight);
  forward_ = std::make_shared<PackedWeight>(given, type());
  backward_ = std::make_shared<PackedWeight>(given.t(), type());
  if (!halves_) weight_ = given;
}

at::Tensor Linear::rounded(const at::Tensor &x) const {
  if (precision_ == at::kFloat) return x;
  const at::Tensor y = x.to(precision_);
  return halves_ ? y : y.to(at::kFloat);
}

Products::Packing Linear::packing(int64_t rows, Weights weights) const {
  if (weights == Weights::plain) return Products::Packing::none;
  const auto best = products_.packing(rows, weight_.size(1), weight_.size(0));
  return best == Products::Packing::mkl && weights != Weights::packed ? Products::Packing::none : best;
}

at::Tensor Linear::multiply(const at::Tensor &x, const at::Tensor &bias, Weights weights) const {
  const at::Tensor given = rounded(x);
  if (halves_) return (*forward_)(Products::Packing::one_dnn, given, bias.defined() ? bias.to(at::kBFloat16) : bias);
  const auto library = packing(given.size(0), weights);
  if (library != Products::Packing::none) return (*forward_)(library, given, bias);
  return products_.linear(given, weight_, bias);
}

at::Tensor Linear::turned(const at::Tensor &dy, Weights weights) const {
  const at::Tensor given = rounded(dy);
  if (halves_) return (*backward_)(Products::Packing::one_dnn, given);
  const auto library = packing(given.size(0), weights);
  if (library != Products::Packing::none) return (*backward_)(library, given);
  return products_.mm(given, weight_);
}

// --- norms -----------------------------------------------------------------------------------------------------------
Normed Norm::operator()(const at::Tensor &x, at::ScalarType type) const {
  at::Tensor same = x;
  return after_adding({}, {}, same, type);
}

Normed Norm::after_adding(const at::Tensor &other, const at::Tensor &offset, at::Tensor &x, at::ScalarType type) const {
  const int64_t width = x.size(-1), rows = x.numel() / width;
  const auto single = x.options().dtype(at::kFloat);
  const at::Tensor given = x;
  if (given.scalar_type() != at::kFloat) x = at::empty(given.sizes(), single);
  Normed out{at::empty(x.sizes(), single.dtype(type)), at::empty({rows}, single), at::empty({rows}, single)};
  const Rows added = other.defined() ? Rows{floats(other), x.size(1), other.size(1)} : Rows{};
  add_norm(rows, width, {floats(weight), floats(bias), epsilon}, numbers(given), floats(x), added,
           offset.defined() ? floats(offset) : nullptr, numbers(out.y), floats(out.mean), floats(out.rstd));
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
at::Tensor Block::mlp(const at::Tensor &h, const at::Tensor &x, bool keep, Weights weights, at::Tensor &inner) const {
  at::Tensor s, a;
  if (quick_gelu && up.type() == at::kFloat) {
    s = up.without_bias(flat(h), weights);
    a = keep ? at::empty_like(s) : s;
    bias_quick_gelu(s.size(0), s.size(1), floats(up.bias()), floats(s), floats(a));
  } else {
    s = up.unconverted(flat(h), weights);
    a = keep ? at::empty_like(s) : s;
    if (quick_gelu)
      ct::quick_gelu(s.numel(), numbers(s), numbers(a));
    else
      at::gelu_out(a, s);
  }
  if (keep) inner = s;
  const at::Tensor product = down.unconverted_without_bias(a, weights);
  const at::Tensor y = product.scalar_type() == at::kFloat ? product : at::empty(product.sizes(), x.options());
  add_biased(y.size(0), y.size(1), floats(down.bias()), floats(x), numbers(product), floats(y));
  return y.view_as(x);
}

at::Tensor Block::activation(const at::Tensor &inner) const {
  if (!quick_gelu) return at::gelu(inner);
  at::Tensor a = at::empty_like(inner);
  ct::quick_gelu(inner.numel(), numbers(inner), numbers(a));
  return a;
}

bool Block::trains() const { return !trained.empty(); }

// --- gradients of weights --------------------------------------------------------------------------------------------
WeightGradients::WeightGradients(const torch::autograd::AutogradContext &context, const Block &block, size_t first)
    : block_(block) {
  for (size_t i = 0; i < block.trained.size(); ++i) wanted_[i] = context.needs_input_grad(first + i);
}

at::Tensor &WeightGradients::gradient(int place) {
  at::Tensor &found = gradients_[place];
  if (!found.defined()) found = at::empty_like(block_.weights[place]);
  return found;
}

void WeightGradients::linear(int place, const at::Tensor &dy, const at::Tensor &x, int64_t row, bool adds) {
  if (wants(place)) block_.products.outer(gradient(place).narrow(0, row, dy.size(1)), dy, x, adds);
  if (wants(place + 1)) {
    at::Tensor rows = gradient(place + 1).narrow(0, row, dy.size(1));
    if (adds)
      rows.add_(dy.sum(0));
    else
      at::sum_out(rows, dy, 0);
  }
}

void WeightGradients::norm(int place, const at::Tensor &dy, const at::Tensor &x, const at::Tensor &mean,
                           const at::Tensor &rstd) {
  if (!wants(place) && !wants(place + 1)) return;
  const auto &weight = block_.weights[place], &bias = block_.weights[place + 1];
  const auto [none, gain, offset] = at::native_layer_norm_backward(
    flat(dy), flat(x), {x.size(-1)}, mean.unsqueeze(1), rstd.unsqueeze(1), weight, bias, {false, true, true});
  for (int i = 0; i < 2; ++i) {
    const at::Tensor &found = i == 0 ? gain : offset;
    gradients_[place + i] = gradients_[place + i].defined() ? gradients_[place + i] + found : found;
  }
}

at::Tensor WeightGradients::mlp_backward(const at::Tensor &dy, const at::Tensor &inner, const at::Tensor &x,
                                         const at::Tensor &mean, const at::Tensor &rstd, Weights weights) {
  const at::Tensor rows = flat(dy);
  if (wants(down_at) || wants(down_at + 1)) linear(down_at, rows, block_.activation(inner));
  at::Tensor d = block_.down.unconverted_backward(rows, weights);
  if (block_.quick_gelu)
    quick_gelu_backward(d.numel(), numbers(inner), numbers(d));
  else
    d = at::gelu_backward(d, inner);
  if (wants(up_at) || wants(up_at + 1)) linear(up_at, d, flat(block_.norm2(x).y));
  const at::Tensor dh = block_.up.backward(d, weights).view_as(dy);
  norm(norm2_at, dh, x, mean, rstd);
  return dh;
}

torch::autograd::variable_list WeightGradients::after(torch::autograd::variable_list gradients) const {
  for (size_t i = 0; i < block_.trained.size(); ++i) gradients.push_back(gradients_[i]);
  return gradients;
}

}  // namespace ct

int ct_block_new(const ct_tensor *weights, int heads, double epsilon, bool quick_gelu, ct_dtype precision,
                 ct_products products, ct_block *out) {
  return ct::guard("block", {weights[ct::qkv_at]}, [&] {
    bool trains = false;
    for (int i = 0; i < ct::weight_count; ++i) {
      const at::Tensor &w = ct::get(weights[i]);
      trains = trains || w.requires_grad();
      TORCH_CHECK(!w.requires_grad() || w.is_contiguous(), "weights that are trained must be contiguous");
      TORCH_CHECK(w.is_cpu() && w.scalar_type() == at::kFloat, "expected weights in single precision on the processor");
    }
    const auto w = [&](int index) { return ct::get(weights[index]).detach().contiguous(); };
    const at::ScalarType dtype = ct::scalar(precision);
    TORCH_CHECK(dtype == at::kFloat || dtype == at::kBFloat16, "a block multiplies in fp32 or bf16");
    TORCH_CHECK(dtype == at::kFloat || !trains, "weights are trained in fp32");
    const at::Tensor qkv = w(ct::qkv_at), qkv_bias = w(ct::qkv_at + 1);
    const int64_t width = qkv.size(1);
    TORCH_CHECK(heads > 0 && qkv.size(0) == 3 * width && width % heads == 0, "the weights are no block's");
    const int64_t inner = w(ct::up_at).size(0);
    const auto fits = [&](int place, at::IntArrayRef sizes) { return w(place).sizes() == sizes; };
    TORCH_CHECK(fits(ct::norm1_at, {width}) && fits(ct::norm1_at + 1, {width}) && fits(ct::qkv_at + 1, {3 * width}) &&
                  fits(ct::output_at, {width, width}) && fits(ct::output_at + 1, {width}) &&
                  fits(ct::norm2_at, {width}) && fits(ct::norm2_at + 1, {width}) && fits(ct::up_at, {inner, width}) &&
                  fits(ct::up_at + 1, {inner}) && fits(ct::down_at, {width, inner}) && fits(ct::down_at + 1, {width}),
                "the weights of a block of width ", width, " do not fit each other");
    const auto linear = [&](const at::Tensor &weight, const at::Tensor &bias) {
      return ct::Linear(weight, bias, dtype, ct::Products(products));
    };
    const at::Tensor q = qkv.narrow(0, 0, width), kv = qkv.narrow(0, width, 2 * width);
    auto block = c10::make_intrusive<ct::Block>();
    block->heads = heads;
    block->width = width;
    block->products = ct::Products(products);
    block->own_attention = width / heads % 16 == 0 && (products == CT_PRODUCTS_AUTOMATIC ? ct::has_wide_registers()
                                                                                         : products == CT_PRODUCTS_ONEDNN);
    block->quick_gelu = quick_gelu;
    block->norm1 = {w(ct::norm1_at), w(ct::norm1_at + 1), epsilon};
    block->norm2 = {w(ct::norm2_at), w(ct::norm2_at + 1), epsilon};
    block->all = linear(qkv, qkv_bias);
    block->queries = linear(q, qkv_bias.narrow(0, 0, width));
    block->keys_values = linear(kv, qkv_bias.narrow(0, width, 2 * width));
    block->by_tiles = products == CT_PRODUCTS_AUTOMATIC && block->queries.type() == at::kBFloat16 &&
                      ct::has_tiles(width / heads);
    block->output = linear(w(ct::output_at), w(ct::output_at + 1));
    block->up = linear(w(ct::up_at), w(ct::up_at + 1));
    block->down = linear(w(ct::down_at), w(ct::down_at + 1));
    if (trains) {
      for (int i = 0; i < ct::weight_count; ++i) {
        block->weights.push_back(w(i));
        block->trained.push_back(ct::get(weights[i]));
      }
    }
    *out = new ct_block_s{std::move(block)};
  });
}

void ct_block_free(ct_block block) { delete block; }
