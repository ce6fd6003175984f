// A fused block over rows of tokens, beside which prompts may stand. Kept for the backward: the two norms' inputs and
// moments, queries, keys, values, the attention's output with its log-sums, and the MLP's inner layer before its activation.
#include "Block.hpp"
#include "Guard.hpp"

using ct::Block;
using ct::BlockPointer;
using ct::get;
using ct::guard;
using ct::put;
using ct::WeightGradients;

namespace {

// [rows · tokens, parts · width] as `parts` of [rows, heads, tokens, d], without a copy.
at::Tensor part(const at::Tensor &x, int64_t rows, int64_t parts, int64_t index, int64_t heads) {
  const int64_t tokens = x.size(0) / rows, d = x.size(1) / (parts * heads);
  return x.view({rows, tokens, parts, heads, d}).select(2, index).transpose(1, 2);
}

// The inverse for one part: [rows, heads, tokens, d] as [rows · tokens, width].
at::Tensor merged(const at::Tensor &x) {
  return x.transpose(1, 2).reshape({x.size(0) * x.size(2), x.size(1) * x.size(3)});
}

struct FusedBlock : torch::autograd::Function<FusedBlock> {
  // x: [rows, tokens, width]; beside: prompts [1, count, width]; the first `wanted` tokens have outputs.
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &input,
                            const std::optional<at::Tensor> &beside, const BlockPointer &pointer, int64_t wanted,
                            bool keep, at::TensorList /* trained, for the graph */) {
    const Block &block = *pointer;
    const at::Tensor prompts = beside ? beside->contiguous() : at::Tensor();
    const int64_t rows = input.size(0), tokens = input.size(1), width = input.size(2), heads = block.heads;
    const at::Tensor x = input.contiguous();
    auto [h, mean1, rstd1] = block.norm1(x);
    const at::Tensor asking = wanted == tokens ? h : h.narrow(1, 0, wanted);
    const at::Tensor q_flat = block.queries(asking.reshape({rows * wanted, width}));
    const at::Tensor kv = block.keys_values(h.view({rows * tokens, width}));
    const at::Tensor q = part(q_flat, rows, 1, 0, heads);
    at::Tensor k = part(kv, rows, 2, 0, heads), v = part(kv, rows, 2, 1, heads);
    at::Tensor mean_p, rstd_p;
    if (prompts.defined()) {
      auto [hp, mean, rstd] = block.norm1(prompts);
      mean_p = mean;
      rstd_p = rstd;
      const at::Tensor kvp = block.keys_values(hp.view({hp.size(1), width}));
      const auto joined = [&](int64_t index, const at::Tensor &own) {
        const at::Tensor shared = part(kvp, 1, 2, index, heads);
        return at::cat({shared.expand({rows, -1, -1, -1}), own}, 2);
      };
      k = joined(0, k);
      v = joined(1, v);
    }
    auto [mixed, sums] = at::_scaled_dot_product_flash_attention_for_cpu(q, k, v);
    at::Tensor x1 = block.output.without_bias(merged(mixed)).view({rows, wanted, width});
    auto [h2, mean2, rstd2] = block.norm2.after_adding(x, block.output.bias(), x1);
    at::Tensor s;
    const at::Tensor y = block.mlp(h2, x1, keep, s);
    if (keep) {
      context->saved_data["block"] = c10::IValue::make_capsule(pointer);
      context->save_for_backward(
        {x, mean1, rstd1, q, k, v, mixed, sums, x1, mean2, rstd2, s, prompts, mean_p, rstd_p});
    }
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 const torch::autograd::variable_list &cotangents) {
    const auto pointer = c10::static_intrusive_pointer_cast<Block>(context->saved_data["block"].toCapsule());
    const Block &block = *pointer;
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &mean1 = saved[1], &rstd1 = saved[2], &q = saved[3], &k = saved[4], &v = saved[5],
               &mixed = saved[6], &sums = saved[7], &x1 = saved[8], &mean2 = saved[9], &rstd2 = saved[10], &s = saved[11],
               &prompts = saved[12];
    const int64_t rows = x.size(0), tokens = x.size(1), width = x.size(2), wanted = x1.size(1);
    const at::Tensor dy = cotangents[0].contiguous();
    WeightGradients weights(*context, block, prompts.defined() ? 2 : 1);
    const at::Tensor dx1 =
      block.norm2.backward(weights.mlp_backward(dy, s, x1, mean2, rstd2), x1, mean2, rstd2, dy);
    const at::Tensor dx1_flat = dx1.view({rows * wanted, width});
    if (block.trains()) weights.linear(ct::output_at, dx1_flat, merged(mixed));
    const at::Tensor dmerged = block.output.backward(dx1_flat);
    auto [dq, dk, dv] = at::_scaled_dot_product_flash_attention_for_cpu_backward(
      part(dmerged, rows, 1, 0, block.heads), q, k, v, mixed, sums, 0.0, false);

    const int64_t count = k.size(2) - tokens;
    const bool trains_qkv = weights.wants(ct::qkv_at) || weights.wants(ct::qkv_at + 1);
    const bool trains_first = trains_qkv || weights.wants(ct::norm1_at) || weights.wants(ct::norm1_at + 1);
    at::Tensor dx, dprompts;
    if (context->needs_input_grad(0) || trains_first) {
      const at::Tensor dkv = at::empty({rows, tokens, 2, block.heads, width / block.heads}, dq.options());
      dkv.select(2, 0).copy_(dk.narrow(2, count, tokens).transpose(1, 2));
      dkv.select(2, 1).copy_(dv.narrow(2, count, tokens).transpose(1, 2));
      const at::Tensor dkv_flat = dkv.view({rows * tokens, 2 * width}), dq_flat = merged(dq);
      if (trains_qkv) {
        const at::Tensor h = block.norm1(x).y;
        weights.linear(ct::qkv_at, dq_flat, h.narrow(1, 0, wanted).reshape({rows * wanted, width}));
        weights.linear(ct::qkv_at, dkv_flat, h.view({rows * tokens, width}), width);
      }
      const at::Tensor dh = block.keys_values.backward(dkv_flat).view({rows, tokens, width});
      dh.narrow(1, 0, wanted).add_(block.queries.backward(dq_flat).view({rows, wanted, width}));
      weights.norm(ct::norm1_at, dh, x, mean1, rstd1);
      if (context->needs_input_grad(0)) dx = block.norm1.backward(dh, x, mean1, rstd1, dx1);
    }
    const bool asked = prompts.defined() && context->needs_input_grad(1);
    if (asked || (prompts.defined() && trains_first)) {
      // One prompt serves all rows.
      const at::Tensor dkv = at::empty({count, 2, width}, dq.options());
      for (int64_t i = 0; i < 2; ++i) {
        const at::Tensor sum = (i == 0 ? dk : dv).narrow(2, 0, count).sum(0);  // [heads, count, d]
        dkv.select(1, i).copy_(sum.transpose(0, 1).reshape({count, width}));
      }
      const at::Tensor flat = dkv.view({count, 2 * width});
      if (trains_qkv) weights.linear(ct::qkv_at, flat, block.norm1(prompts).y.view({count, width}), width, true);
      const at::Tensor dh = block.keys_values.backward(flat);
      weights.norm(ct::norm1_at, dh, prompts, saved[13], saved[14]);
      if (asked) dprompts = block.norm1.backward(dh, prompts, saved[13], saved[14]);
    }
    return weights.after({dx, dprompts, at::Tensor(), at::Tensor(), at::Tensor()});
  }
};

}  // namespace

int ct_block_apply(ct_block block, ct_tensor x, ct_tensor prompts, int64_t wanted, ct_tensor *out) {
  return guard("block", {x, prompts}, [&] {
    const at::Tensor &input = get(x);
    const auto single = [](const at::Tensor &t) { return t.is_cpu() && t.scalar_type() == at::kFloat; };
    TORCH_CHECK(input.dim() == 3 && single(input), "expected [rows, tokens, width] in single precision");
    TORCH_CHECK(wanted >= 1 && wanted <= input.size(1), "expected 1 to ", input.size(1), " tokens with outputs");
    const std::optional<at::Tensor> beside = prompts ? std::optional<at::Tensor>(get(prompts)) : std::nullopt;
    TORCH_CHECK(!beside || (beside->dim() == 3 && beside->size(0) == 1 && beside->size(2) == input.size(2) &&
                            single(*beside)),
                "expected prompts [1, count, width] in single precision");
    const bool keep = at::GradMode::is_enabled() &&
                      (block->value->trains() || input.requires_grad() || (beside && beside->requires_grad()));
    put(out, FusedBlock::apply(input, beside, block->value, wanted, keep, at::TensorList(block->value->trained)));
  });
}
