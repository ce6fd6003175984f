// A transformer block whose weights are frozen, as one operation with its own backward.
//
// Against the same block out of single ops: weights are packed once for the processor's products, the activation's scale is
// moved into the weights, nothing is recorded for frozen weights, and tokens whose outputs nobody reads give keys and values
// alone. Only what the backward needs is kept: the two norms' inputs and moments, queries, keys, values, the attention's
// output with its log-sums, and the MLP's inner layer before its activation.
#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/custom_class.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <vector>

#include "Guard.hpp"

using ct::get;
using ct::guard;
using ct::put;

namespace {

constexpr double quick_gelu_scale = 1.702;

// oneDNN's operators of libtorch; absent in builds without it.
std::optional<c10::OperatorHandle> operation(const char *name) {
  return c10::Dispatcher::singleton().findSchema({name, ""});
}

// `scale · x Wᵀ + b` with a frozen `W` (or `Wᵀ` in its place), packed when it is first needed. Until then nothing is copied.
class Product {
 public:
  enum class Form { as_it_is, transposed };

  Product() = default;
  Product(at::Tensor weight, at::Tensor bias, double scale, at::ScalarType dtype, Form form)
      : state_(std::make_shared<State>()) {
    state_->weight = std::move(weight);
    if (bias.defined()) state_->bias = bias.to(dtype).contiguous();
    state_->scale = scale;
    state_->dtype = dtype;
    state_->form = form;
  }

  // x: [rows, in]
  at::Tensor operator()(const at::Tensor &x) const {
    State &state = *state_;
    std::call_once(state.once, [&] { state.prepare(x.size(0)); });
    if (!state.is_packed) return at::linear(x, state.prepared, state.bias);
    std::vector<c10::IValue> stack{x, state.prepared, state.bias ? c10::IValue(*state.bias) : c10::IValue(), "none",
                                   c10::List<std::optional<at::Scalar>>(), ""};
    linear()->callBoxed(&stack);
    return stack.front().toTensor();
  }

 private:
  struct State {
    at::Tensor weight, prepared;
    std::optional<at::Tensor> bias;
    double scale = 1;
    at::ScalarType dtype = at::kFloat;
    Form form = Form::as_it_is;
    bool is_packed = false;
    std::once_flag once;

    void prepare(int64_t rows) {
      static const auto reorder = operation("mkldnn::_reorder_linear_weight");
      at::Tensor own = form == Form::transposed ? weight.t() : weight;
      if (scale != 1) own = own * scale;
      own = own.to(dtype).contiguous();
      weight = at::Tensor();
      is_packed = linear() && reorder && own.is_cpu();
      if (!is_packed) {
        prepared = own;
        return;
      }
      std::vector<c10::IValue> stack{own, rows};
      reorder->callBoxed(&stack);
      prepared = stack.front().toTensor();
    }
  };

  static const std::optional<c10::OperatorHandle> &linear() {
    static const auto found = operation("mkldnn::_linear_pointwise");
    return found;
  }

  std::shared_ptr<State> state_;
};

struct Norm {
  at::Tensor weight, bias;
  double epsilon;

  std::tuple<at::Tensor, at::Tensor, at::Tensor> operator()(const at::Tensor &x) const {
    return at::native_layer_norm(x, {x.size(-1)}, weight, bias, epsilon);
  }

  at::Tensor backward(const at::Tensor &dy, const at::Tensor &x, const at::Tensor &mean, const at::Tensor &rstd) const {
    return std::get<0>(
      at::native_layer_norm_backward(dy, x, {x.size(-1)}, mean, rstd, weight, bias, {true, false, false}));
  }
};

// Held by the graph of every result too, so that a backward never outlives it.
struct Block : torch::CustomClassHolder {
  int64_t heads;
  bool quick_gelu;
  at::ScalarType precision;  // of the products and the attention; the residual stream stays fp32
  Norm norm1, norm2;
  // Forward, and the transposed ones for gradients with respect to inputs.
  Product queries, keys_values, output, up, down;
  Product queries_t, keys_values_t, output_t, up_t, down_t;

  at::Tensor activate(const at::Tensor &s) const { return quick_gelu ? at::silu(s) : at::gelu(s); }
  at::Tensor activate_backward(const at::Tensor &da, const at::Tensor &s) const {
    return quick_gelu ? at::silu_backward(da, s) : at::gelu_backward(da, s);
  }
};

using BlockPointer = c10::intrusive_ptr<Block>;

// [rows · tokens, parts · width] as `parts` of [rows, heads, tokens, d], without a copy.
at::Tensor part(const at::Tensor &x, int64_t rows, int64_t parts, int64_t index, int64_t heads) {
  const int64_t tokens = x.size(0) / rows, d = x.size(1) / (parts * heads);
  return x.view({rows, tokens, parts, heads, d}).select(2, index).transpose(1, 2);
}

// The inverse for one part: [rows, heads, tokens, d] as [rows · tokens, width].
at::Tensor merged(const at::Tensor &x) {
  return x.transpose(1, 2).reshape({x.size(0) * x.size(2), x.size(1) * x.size(3)});
}

struct FrozenBlock : torch::autograd::Function<FrozenBlock> {
  // x: [rows, tokens, width]; beside: prompts [1, count, width]; the first `wanted` tokens have outputs.
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &input,
                            const std::optional<at::Tensor> &beside, const BlockPointer &pointer, int64_t wanted,
                            bool keep) {
    const Block &block = *pointer;
    const at::Tensor prompts = beside.value_or(at::Tensor());
    const int64_t rows = input.size(0), tokens = input.size(1), width = input.size(2), heads = block.heads;
    const at::Tensor x = input.contiguous();
    auto [h, mean1, rstd1] = block.norm1(x);
    h = h.to(block.precision);
    const bool all = wanted == tokens;
    const at::Tensor asking = all ? h : h.narrow(1, 0, wanted);
    const at::Tensor q_flat = block.queries(asking.reshape({rows * wanted, width}));
    const at::Tensor kv = block.keys_values(h.view({rows * tokens, width}));
    at::Tensor q = part(q_flat, rows, 1, 0, heads), k = part(kv, rows, 2, 0, heads), v = part(kv, rows, 2, 1, heads);
    at::Tensor mean_p, rstd_p;
    if (prompts.defined()) {
      auto [hp, mean, rstd] = block.norm1(prompts.contiguous());
      mean_p = mean;
      rstd_p = rstd;
      const at::Tensor kvp = block.keys_values(hp.to(block.precision).view({hp.size(1), width}));
        const auto joined = [&](int64_t index, const at::Tensor &own) {
        const at::Tensor shared = part(kvp, 1, 2, index, heads);
        return at::cat({shared.expand({rows, -1, -1, -1}), own}, 2);
      };
      k = joined(0, k);
      v = joined(1, v);
    }
    auto [mixed, sums] = at::_scaled_dot_product_flash_attention_for_cpu(q, k, v);
    at::Tensor x1 = block.output(merged(mixed)).to(at::kFloat).view({rows, wanted, width});
    x1.add_(all ? x : x.narrow(1, 0, wanted));
    auto [h2, mean2, rstd2] = block.norm2(x1);
    at::Tensor s = block.up(h2.to(block.precision).view({rows * wanted, width}));
    const at::Tensor a = keep ? block.activate(s) : block.quick_gelu ? at::silu_(s) : at::gelu_(s);
    at::Tensor y = block.down(a).to(at::kFloat).view({rows, wanted, width});
    y.add_(x1);
    if (keep) {
      context->saved_data["block"] = c10::IValue::make_capsule(pointer);
      context->saved_data["prompts"] = prompts.defined();
      context->save_for_backward({x, mean1, rstd1, q, k, v, mixed, sums, x1, mean2, rstd2, s,
                                  prompts.defined() ? prompts : at::Tensor(), mean_p, rstd_p});
    }
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 const torch::autograd::variable_list &cotangents) {
    const auto pointer = c10::static_intrusive_pointer_cast<Block>(context->saved_data["block"].toCapsule());
    const Block &block = *pointer;
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &mean1 = saved[1], &rstd1 = saved[2], &q = saved[3], &k = saved[4], &v = saved[5],
               &mixed = saved[6], &sums = saved[7], &x1 = saved[8], &mean2 = saved[9], &rstd2 = saved[10], &s = saved[11];
    const bool prompted = context->saved_data["prompts"].toBool();
    const int64_t rows = x.size(0), tokens = x.size(1), width = x.size(2), wanted = x1.size(1);
    const at::Tensor dy = cotangents[0].contiguous();

    const at::Tensor da = block.down_t(dy.to(block.precision).view({rows * wanted, width}));
    const at::Tensor dh2 = block.up_t(block.activate_backward(da, s)).to(at::kFloat).view({rows, wanted, width});
    at::Tensor dx1 = block.norm2.backward(dh2, x1, mean2, rstd2);
    dx1.add_(dy);

    const at::Tensor dmerged = block.output_t(dx1.to(block.precision).view({rows * wanted, width}));
    auto [dq, dk, dv] = at::_scaled_dot_product_flash_attention_for_cpu_backward(
      part(dmerged, rows, 1, 0, block.heads), q, k, v, mixed, sums, 0.0, false);

    const int64_t count = k.size(2) - tokens;
    at::Tensor dprompts;
    if (prompted && context->needs_input_grad(1)) {
      // One prompt serves all rows.
      const at::Tensor dkv = at::empty({count, 2, width}, dq.options());
      for (int64_t i = 0; i < 2; ++i) {
        const at::Tensor sum = (i == 0 ? dk : dv).narrow(2, 0, count).sum(0);  // [heads, count, d]
        dkv.select(1, i).copy_(sum.transpose(0, 1).reshape({count, width}));
      }
      const at::Tensor dh = block.keys_values_t(dkv.view({count, 2 * width})).to(at::kFloat).view({1, count, width});
      dprompts = block.norm1.backward(dh, saved[12].contiguous(), saved[13], saved[14]);
    }
    at::Tensor dx;
    if (context->needs_input_grad(0)) {
      const at::Tensor dkv = at::empty({rows, tokens, 2, block.heads, width / block.heads}, dq.options());
      dkv.select(2, 0).copy_(dk.narrow(2, count, tokens).transpose(1, 2));
      dkv.select(2, 1).copy_(dv.narrow(2, count, tokens).transpose(1, 2));
      at::Tensor dh = block.keys_values_t(dkv.view({rows * tokens, 2 * width})).to(at::kFloat).view({rows, tokens, width});
      const at::Tensor dasked = block.queries_t(merged(dq)).to(at::kFloat).view({rows, wanted, width});
      dh.narrow(1, 0, wanted).add_(dasked);
      dx = block.norm1.backward(dh, x, mean1, rstd1);
      dx.narrow(1, 0, wanted).add_(dx1);
    }
    return {dx, dprompts, at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

// How the rows of a text block stand in [prompts, tokens, width]: a prefix that all names of a prompt share, then names of
// one length beside each other, lengths after lengths.
struct TextLayout {
  int64_t prefix;
  std::vector<int64_t> counts, lengths;

  int64_t names() const { return std::accumulate(counts.begin(), counts.end(), int64_t{0}); }
  int64_t tokens() const { return std::inner_product(counts.begin(), counts.end(), lengths.begin(), prefix); }
};

// The attention of one length's names: each sees the prefix of its prompt and its own tokens up to the asking one.
struct NameAttention {
  int64_t prompts, start, count, length, prefix;

  // [prompts, tokens, heads, d] to this length's own [prompts · count, heads, length, d]
  at::Tensor own(const at::Tensor &x) const {
    return x.narrow(1, start, count * length).reshape({prompts * count, length, x.size(2), x.size(3)}).transpose(1, 2);
  }

  // Keys or values: the prefix's and, behind them, the names' own.
  at::Tensor seen(const at::Tensor &x) const {
    const at::Tensor shared = x.narrow(1, 0, prefix).transpose(1, 2);  // [prompts, heads, prefix, d]
    const at::Tensor repeated = shared.unsqueeze(1)
                                  .expand({prompts, count, x.size(2), prefix, x.size(3)})
                                  .reshape({prompts * count, x.size(2), prefix, x.size(3)});
    return at::cat({repeated, own(x)}, 2);
  }

  // The inverse of `seen` for gradients, added to `out`.
  void add(const at::Tensor &d, const at::Tensor &out) const {
    const int64_t heads = d.size(1), width = d.size(3);
    out.narrow(1, 0, prefix)
      .add_(d.narrow(2, 0, prefix).reshape({prompts, count, heads, prefix, width}).sum(1).transpose(1, 2));
    const at::Tensor mine = d.narrow(2, prefix, length).transpose(1, 2).reshape({prompts, count * length, heads, width});
    out.narrow(1, start, count * length).add_(mine);
  }

  // 0 where token i may see token j, -inf elsewhere: [length, prefix + length]
  at::Tensor mask(const at::TensorOptions &options) const {
    at::Tensor rows = at::zeros({length, prefix + length}, options);
    rows.narrow(1, prefix, length).copy_(
      at::full({length, length}, -std::numeric_limits<float>::infinity(), options).triu_(1));
    return rows;
  }
};

std::vector<NameAttention> attentions(const TextLayout &layout, int64_t prompts) {
  std::vector<NameAttention> list;
  int64_t start = layout.prefix;
  for (size_t i = 0; i < layout.counts.size(); ++i) {
    list.push_back({prompts, start, layout.counts[i], layout.lengths[i], layout.prefix});
    start += layout.counts[i] * layout.lengths[i];
  }
  return list;
}

struct FrozenTextBlock : torch::autograd::Function<FrozenTextBlock> {
  // input: [prompts, tokens, width]; where `ends` is set, only the last token of each name has an output.
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &input,
                            const BlockPointer &pointer, const TextLayout &layout, bool ends, bool keep) {
    const Block &block = *pointer;
    const int64_t prompts = input.size(0), tokens = input.size(1), width = input.size(2), heads = block.heads,
                  d = width / heads, names = layout.names();
    const at::Tensor x = input.contiguous();
    auto [h, mean1, rstd1] = block.norm1(x);
    const at::Tensor flat = h.to(block.precision).view({prompts * tokens, width});
    const at::Tensor places = ends ? last_tokens(layout, prompts, tokens) : at::Tensor();
    const int64_t asked = ends ? names : tokens;
    const at::Tensor q =
      block.queries(ends ? flat.index_select(0, places) : flat).view({prompts, asked, heads, d});
    const at::Tensor kv = block.keys_values(flat).view({prompts, tokens, 2, heads, d});
    const at::Tensor k = kv.select(2, 0), v = kv.select(2, 1);
    at::Tensor mixed = at::empty({prompts, asked, heads, d}, q.options());
    torch::autograd::variable_list saved;
    if (!ends) {
      auto [out, sums] = at::_scaled_dot_product_flash_attention_for_cpu(
        head(q, layout.prefix), head(k, layout.prefix), head(v, layout.prefix), 0.0, true);
      mixed.narrow(1, 0, layout.prefix).copy_(out.transpose(1, 2));
      saved.push_back(sums);
    }
    int64_t row = 0;
    for (const auto &part : attentions(layout, prompts)) {
      auto [out, sums] = at::_scaled_dot_product_flash_attention_for_cpu(
        ends ? asking(q, part, row) : part.own(q), part.seen(k), part.seen(v), 0.0, false,
        ends ? std::nullopt : std::optional<at::Tensor>(part.mask(q.options())));
      const int64_t rows = ends ? part.count : part.count * part.length, start = ends ? row : part.start;
      mixed.narrow(1, start, rows).copy_(out.transpose(1, 2).reshape({prompts, rows, heads, d}));
      saved.push_back(sums);
      row += part.count;
    }
    at::Tensor x1 = block.output(mixed.view({prompts * asked, width})).to(at::kFloat).view({prompts, asked, width});
    x1.add_(ends ? x.view({prompts * tokens, width}).index_select(0, places).view_as(x1) : x);
    auto [h2, mean2, rstd2] = block.norm2(x1);
    at::Tensor s = block.up(h2.to(block.precision).view({prompts * asked, width}));
    const at::Tensor a = keep ? block.activate(s) : block.quick_gelu ? at::silu_(s) : at::gelu_(s);
    at::Tensor y = block.down(a).to(at::kFloat).view_as(x1);
    y.add_(x1);
    if (keep) {
      context->saved_data["block"] = c10::IValue::make_capsule(pointer);
      context->saved_data["prefix"] = layout.prefix;
      context->saved_data["counts"] = layout.counts;
      context->saved_data["lengths"] = layout.lengths;
      context->saved_data["ends"] = ends;
      torch::autograd::variable_list all{x, mean1, rstd1, q, kv, mixed, x1, mean2, rstd2, s};
      all.insert(all.end(), saved.begin(), saved.end());
      context->save_for_backward(all);
    }
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 const torch::autograd::variable_list &cotangents) {
    const auto pointer = c10::static_intrusive_pointer_cast<Block>(context->saved_data["block"].toCapsule());
    const Block &block = *pointer;
    const TextLayout layout{context->saved_data["prefix"].toInt(), context->saved_data["counts"].toIntVector(),
                            context->saved_data["lengths"].toIntVector()};
    const bool ends = context->saved_data["ends"].toBool();
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &mean1 = saved[1], &rstd1 = saved[2], &q = saved[3], &kv = saved[4], &mixed = saved[5],
               &x1 = saved[6], &mean2 = saved[7], &rstd2 = saved[8], &s = saved[9];
    const int64_t prompts = x.size(0), tokens = x.size(1), width = x.size(2), asked = x1.size(1), heads = block.heads,
                  d = width / heads;
    const at::Tensor dy = cotangents[0].contiguous();
    const at::Tensor da = block.down_t(dy.to(block.precision).view({prompts * asked, width}));
    const at::Tensor dh2 = block.up_t(block.activate_backward(da, s)).to(at::kFloat).view({prompts, asked, width});
    at::Tensor dx1 = block.norm2.backward(dh2, x1, mean2, rstd2);
    dx1.add_(dy);

    const at::Tensor dmixed =
      block.output_t(dx1.to(block.precision).view({prompts * asked, width})).view({prompts, asked, heads, d});
    const at::Tensor k = kv.select(2, 0), v = kv.select(2, 1);
    const at::Tensor dkv = at::zeros_like(kv), dk = dkv.select(2, 0), dv = dkv.select(2, 1);
    const at::Tensor dq = at::empty({prompts, asked, heads, d}, q.options());
    size_t index = 10;
    if (!ends) {
      const int64_t n = layout.prefix;
      auto [a, b, c] = at::_scaled_dot_product_flash_attention_for_cpu_backward(
        head(dmixed, n), head(q, n), head(k, n), head(v, n), head(mixed, n), saved[index++], 0.0, true);
      dq.narrow(1, 0, n).copy_(a.transpose(1, 2));
      dk.narrow(1, 0, n).add_(b.transpose(1, 2));
      dv.narrow(1, 0, n).add_(c.transpose(1, 2));
    }
    int64_t row = 0;
    for (const auto &part : attentions(layout, prompts)) {
      const auto rows_of = [&](const at::Tensor &t) { return ends ? asking(t, part, row) : part.own(t); };
      auto [a, b, c] = at::_scaled_dot_product_flash_attention_for_cpu_backward(
        rows_of(dmixed), rows_of(q), part.seen(k), part.seen(v), rows_of(mixed), saved[index++], 0.0, false,
        ends ? std::nullopt : std::optional<at::Tensor>(part.mask(q.options())));
      const int64_t rows = ends ? part.count : part.count * part.length, start = ends ? row : part.start;
      dq.narrow(1, start, rows).copy_(a.transpose(1, 2).reshape({prompts, rows, heads, d}));
      part.add(b, dk);
      part.add(c, dv);
      row += part.count;
    }
    at::Tensor dh = block.keys_values_t(dkv.view({prompts * tokens, 2 * width})).to(at::kFloat);
    const at::Tensor dasked = block.queries_t(dq.view({prompts * asked, width})).to(at::kFloat);
    if (!ends) {
      at::Tensor dx = block.norm1.backward(dh.add_(dasked).view_as(x), x, mean1, rstd1);
      return {dx.add_(dx1), at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
    }
    const at::Tensor places = last_tokens(layout, prompts, tokens);
    dh.index_add_(0, places, dasked);
    const at::Tensor dx = block.norm1.backward(dh.view_as(x), x, mean1, rstd1);
    dx.view({prompts * tokens, width}).index_add_(0, places, dx1.view({prompts * asked, width}));
    return {dx, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }

 private:
  // The first `count` tokens: [prompts, tokens, heads, d] to [prompts, heads, count, d]
  static at::Tensor head(const at::Tensor &x, int64_t count) { return x.narrow(1, 0, count).transpose(1, 2); }

  // The asking tokens of a length's names, one each: [prompts, names, heads, d] to [prompts · count, heads, 1, d]
  static at::Tensor asking(const at::Tensor &x, const NameAttention &part, int64_t row) {
    return x.narrow(1, row, part.count).reshape({part.prompts * part.count, x.size(2), 1, x.size(3)});
  }

  // Where the last tokens of all names stand in [prompts · tokens].
  static at::Tensor last_tokens(const TextLayout &layout, int64_t prompts, int64_t tokens) {
    std::vector<int64_t> places;
    for (int64_t p = 0; p < prompts; ++p) {
      int64_t start = p * tokens + layout.prefix;
      for (size_t i = 0; i < layout.counts.size(); ++i)
        for (int64_t n = 0; n < layout.counts[i]; ++n) places.push_back((start += layout.lengths[i]) - 1);
    }
    return at::tensor(places, at::kLong);
  }
};

}  // namespace

struct ct_block_s {
  BlockPointer value;
};

int ct_block_new(const ct_tensor *weights, int heads, double epsilon, bool quick_gelu, ct_dtype precision,
                 ct_block *out) {
  return guard("frozen block", {weights[2]}, [&] {
    const auto w = [&](int index) { return get(weights[index]).detach(); };
    const at::ScalarType dtype = ct::scalar(precision);
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
    auto block = c10::make_intrusive<Block>();
    block->heads = heads;
    block->quick_gelu = quick_gelu;
    block->precision = dtype;
    block->norm1 = {w(0), w(1), epsilon};
    block->norm2 = {w(6), w(7), epsilon};
    block->queries = forward(q, qkv_bias.narrow(0, 0, width));
    block->keys_values = forward(kv, qkv_bias.narrow(0, width, 2 * width));
    block->output = forward(output, w(5));
    block->up = forward(up, w(9) * scale, scale);
    block->down = forward(down, w(11), 1 / scale);
    block->queries_t = backward(q);
    block->keys_values_t = backward(kv);
    block->output_t = backward(output);
    block->up_t = backward(up, scale);
    block->down_t = backward(down, 1 / scale);
    *out = new ct_block_s{std::move(block)};
  });
}

void ct_block_free(ct_block block) { delete block; }

int ct_block_apply(ct_block block, ct_tensor x, ct_tensor prompts, int64_t wanted, ct_tensor *out) {
  return guard("frozen block", {x, prompts}, [&] {
    const at::Tensor &input = get(x);
    TORCH_CHECK(input.dim() == 3 && input.scalar_type() == at::kFloat, "expected [rows, tokens, width] in single precision");
    TORCH_CHECK(wanted >= 1 && wanted <= input.size(1), "expected 1 to ", input.size(1), " tokens with outputs");
    const std::optional<at::Tensor> beside = prompts ? std::optional<at::Tensor>(get(prompts)) : std::nullopt;
    TORCH_CHECK(!beside || (beside->dim() == 3 && beside->size(0) == 1 && beside->size(2) == input.size(2) &&
                            beside->scalar_type() == at::kFloat),
                "expected prompts [1, count, width] in single precision");
    const bool keep = at::GradMode::is_enabled() && (input.requires_grad() || (beside && beside->requires_grad()));
    put(out, FrozenBlock::apply(input, beside, block->value, wanted, keep));
  });
}

int ct_block_apply_text(ct_block block, ct_tensor x, int64_t prefix, const int64_t *counts, const int64_t *lengths,
                        int groups, bool ends, ct_tensor *out) {
  return guard("frozen text block", {x}, [&] {
    const at::Tensor &input = get(x);
    const TextLayout layout{prefix, {counts, counts + groups}, {lengths, lengths + groups}};
    const auto positive = [](int64_t value) { return value > 0; };
    TORCH_CHECK(input.dim() == 3 && input.scalar_type() == at::kFloat, "expected [prompts, tokens, width] in single precision");
    TORCH_CHECK(prefix > 0 && groups > 0 && std::all_of(counts, counts + groups, positive) &&
                  std::all_of(lengths, lengths + groups, positive) && layout.tokens() == input.size(1),
                "expected ", layout.tokens(), " tokens of a prefix and names");
    const bool keep = at::GradMode::is_enabled() && input.requires_grad();
    put(out, FrozenTextBlock::apply(input, block->value, layout, ends, keep));
  });
}
