// A fused block over texts that share a prefix. Kept for the backward: the two norms' inputs and moments, queries, keys,
// values, what each token gives to what it sees, the attention's output, and the MLP's inner layer before its activation.
#include <algorithm>
#include <numeric>
#include <vector>

#include "Block.hpp"
#include "Guard.hpp"

using ct::Ask;
using ct::Block;
using ct::BlockPointer;
using ct::get;
using ct::guard;
using ct::put;
using ct::TextAttention;
using ct::Tokens;
using ct::WeightGradients;
using ct::Weights;

namespace {

// How the rows of a text block stand in [prompts, tokens, width]: a prefix that all names of a prompt share, then names of
// one length beside each other, lengths after lengths.
struct TextLayout {
  int64_t prefix;
  std::vector<int64_t> counts, lengths;

  int64_t names() const { return std::accumulate(counts.begin(), counts.end(), int64_t{0}); }
  int64_t tokens() const { return std::inner_product(counts.begin(), counts.end(), lengths.begin(), prefix); }

  // Calls body(first token, length) for each name.
  template <class Body>
  void each_name(Body body) const {
    int64_t start = prefix;
    for (size_t i = 0; i < counts.size(); ++i)
      for (int64_t n = 0; n < counts[i]; ++n, start += lengths[i]) body(start, lengths[i]);
  }

  // Where the last tokens of all names stand in [prompts · tokens].
  at::Tensor last_tokens(int64_t prompts) const {
    std::vector<int64_t> places;
    for (int64_t p = 0; p < prompts; ++p)
      each_name([&](int64_t start, int64_t length) { places.push_back(p * tokens() + start + length - 1); });
    return at::tensor(places, at::kLong);
  }

  // Who sees whom: all tokens ask, or with `ends` the last of each name.
  TextAttention attention(int64_t prompts, int64_t heads, int64_t d, bool ends) const {
    TextAttention out{{}, prompts, heads, d, prefix, tokens(), 0};
    if (!ends)
      for (int64_t t = 0; t < prefix; ++t) out.asks.push_back({t, t + 1, 0, 0});
    each_name([&](int64_t start, int64_t length) {
      for (int64_t t = ends ? length - 1 : 0; t < length; ++t)
        out.asks.push_back({ends ? static_cast<int64_t>(out.asks.size()) : start + t, prefix, start, t + 1});
    });
    out.keys = prefix + *std::max_element(lengths.begin(), lengths.end());
    return out;
  }
};

// Part `index` of [prompts, tokens, parts, width].
Tokens view(const at::Tensor &x, int64_t index = 0) {
  return {x.data_ptr<float>() + index * x.stride(2), x.stride(0), x.stride(1)};
}

struct FusedTextBlock : torch::autograd::Function<FusedTextBlock> {
  // input: [prompts, tokens, width]; where `ends` is set, only the last token of each name has an output.
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &input,
                            const BlockPointer &pointer, const TextLayout &layout, bool ends, bool keep,
                            Weights kind, at::TensorList /* trained, for the graph */) {
    const Block &block = *pointer;
    const int64_t prompts = input.size(0), tokens = input.size(1), width = input.size(2), heads = block.heads;
    const TextAttention attention = layout.attention(prompts, heads, width / heads, ends);
    const int64_t asked = static_cast<int64_t>(attention.asks.size());
    const at::Tensor x = input.contiguous();
    auto [h, mean1, rstd1] = block.norm1(x, block.all.type());
    const at::Tensor flat = h.view({prompts * tokens, width});
    // Queries, keys and values beside each other; or queries of the last tokens apart.
    at::Tensor q, kv;
    const at::Tensor places = ends ? layout.last_tokens(prompts) : at::Tensor();
    if (ends) {
      q = block.queries(flat.index_select(0, places), kind).view({prompts, asked, 1, width});
      kv = block.keys_values(flat, kind).view({prompts, tokens, 2, width});
    } else {
      const at::Tensor all = block.all(flat, kind).view({prompts, tokens, 3, width});
      q = all;
      kv = all.narrow(2, 1, 2);
    }
    const at::Tensor mixed = at::empty({prompts, asked, 1, width}, x.options());
    const at::Tensor shares = at::empty({prompts, heads, asked, attention.keys}, x.options());
    attention.forward(view(q), view(kv, 0), view(kv, 1), view(mixed), shares.data_ptr<float>());
    at::Tensor x1 =
      block.output.unconverted_without_bias(mixed.view({prompts * asked, width}), kind).view({prompts, asked, width});
    const at::Tensor before = ends ? x.view({prompts * tokens, width}).index_select(0, places).view_as(x1) : x;
    auto [h2, mean2, rstd2] = block.norm2.after_adding(before, block.output.bias(), x1, block.up.type());
    at::Tensor s;
    const at::Tensor y = block.mlp(h2, x1, keep, kind, s);
    if (keep) {
      context->saved_data["block"] = c10::IValue::make_capsule(pointer);
      context->saved_data["prefix"] = layout.prefix;
      context->saved_data["counts"] = layout.counts;
      context->saved_data["lengths"] = layout.lengths;
      context->saved_data["ends"] = ends;
      context->saved_data["packed"] = kind == Weights::packed;
      context->save_for_backward({x, mean1, rstd1, q, kv, shares, x1, mean2, rstd2, s,
                                 block.trains() ? mixed : at::Tensor()});
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
    const Weights kind = context->saved_data["packed"].toBool() ? Weights::packed : Weights::plain;
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &mean1 = saved[1], &rstd1 = saved[2], &q = saved[3], &kv = saved[4], &shares = saved[5],
               &x1 = saved[6], &mean2 = saved[7], &rstd2 = saved[8], &s = saved[9];
    const int64_t prompts = x.size(0), tokens = x.size(1), width = x.size(2), asked = x1.size(1), heads = block.heads;
    const TextAttention attention = layout.attention(prompts, heads, width / heads, ends);
    const at::Tensor dy = cotangents[0].contiguous();
    WeightGradients weights(*context, block, 1);
    const at::Tensor dx1 =
      block.norm2.backward(weights.mlp_backward(dy, s, x1, mean2, rstd2, kind), x1, mean2, rstd2, dy);
    const at::Tensor dx1_flat = dx1.view({prompts * asked, width});
    if (block.trains()) weights.linear(ct::output_at, dx1_flat, saved[10].view({prompts * asked, width}));
    const at::Tensor dmixed = block.output.backward(dx1_flat, kind).view({prompts, asked, 1, width});
    const bool trains_qkv = weights.wants(ct::qkv_at) || weights.wants(ct::qkv_at + 1);
    const at::Tensor h = trains_qkv ? block.norm1(x).y.view({prompts * tokens, width}) : at::Tensor();
    const auto none = at::Tensor();
    if (!ends) {
      const at::Tensor d = at::empty({prompts, tokens, 3, width}, x.options());
      attention.backward(view(dmixed), view(q), view(kv, 0), view(kv, 1), shares.data_ptr<float>(), view(d, 0), view(d, 1),
                         view(d, 2));
      const at::Tensor flat = d.view({prompts * tokens, 3 * width});
      if (trains_qkv) weights.linear(ct::qkv_at, flat, h);
      const at::Tensor dh = block.all.backward(flat, kind);
      weights.norm(ct::norm1_at, dh, x, mean1, rstd1);
      return weights.after({block.norm1.backward(dh, x, mean1, rstd1, dx1), none, none, none, none, none});
    }
    const at::Tensor dq = at::empty({prompts, asked, 1, width}, x.options());
    const at::Tensor dkv = at::empty({prompts, tokens, 2, width}, x.options());
    attention.backward(view(dmixed), view(q), view(kv, 0), view(kv, 1), shares.data_ptr<float>(), view(dq), view(dkv, 0),
                       view(dkv, 1));
    const at::Tensor places = layout.last_tokens(prompts);
    const at::Tensor dq_flat = dq.view({prompts * asked, width}), dkv_flat = dkv.view({prompts * tokens, 2 * width});
    if (trains_qkv) {
      weights.linear(ct::qkv_at, dq_flat, h.index_select(0, places));
      weights.linear(ct::qkv_at, dkv_flat, h, width);
    }
    const at::Tensor dh = block.keys_values.backward(dkv_flat, kind);
    dh.index_add_(0, places, block.queries.backward(dq_flat, kind));
    weights.norm(ct::norm1_at, dh, x, mean1, rstd1);
    const at::Tensor dx = block.norm1.backward(dh, x, mean1, rstd1);
    dx.view({prompts * tokens, width}).index_add_(0, places, dx1_flat);
    return weights.after({dx, none, none, none, none, none});
  }
};

}  // namespace

int ct_block_apply_text(ct_block block, ct_tensor x, int64_t prefix, const int64_t *counts, const int64_t *lengths,
                        int groups, bool ends, bool packed, ct_tensor *out) {
  return guard("text block", {x}, [&] {
    const at::Tensor &input = get(x);
    const TextLayout layout{prefix, {counts, counts + groups}, {lengths, lengths + groups}};
    const auto positive = [](int64_t value) { return value > 0; };
    TORCH_CHECK(input.dim() == 3 && input.is_cpu() && input.scalar_type() == at::kFloat &&
                  input.size(2) == block->value->width,
                "expected [prompts, tokens, ", block->value->width, "] in single precision");
    TORCH_CHECK(prefix > 0 && groups > 0 && std::all_of(counts, counts + groups, positive) &&
                  std::all_of(lengths, lengths + groups, positive) && layout.tokens() == input.size(1),
                "expected ", layout.tokens(), " tokens of a prefix and names");
    const bool keep = at::GradMode::is_enabled() && (block->value->trains() || input.requires_grad());
    const Weights kind = packed && keep && !block->value->trains() ? Weights::packed : Weights::plain;
    put(out, FusedTextBlock::apply(input, block->value, layout, ends, keep, kind, at::TensorList(block->value->trained)));
  });
}
