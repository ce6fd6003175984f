// A fused block over rows of tokens, beside which prompts may stand. Kept for the backward: the two norms' inputs and
// moments, queries, keys, values, the attention's output with its log-sums, and the MLP's inner layer before its activation.
#include "Attention.hpp"
#include "Block.hpp"
#include "Guard.hpp"

using ct::Block;
using ct::BlockPointer;
using ct::get;
using ct::guard;
using ct::HeadsOf;
using ct::put;
using ct::RowAttention;
using ct::WeightGradients;
using ct::Weights;

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

// What attention takes: queries [rows · wanted, width], keys and values [rows · tokens, 2 · width] beside each other, and
// those of the prompts, [count, 2 · width] or undefined.
struct Asked {
  at::Tensor q, kv, beside;
  int64_t rows;
};

// Its gradients, in the same places; `beside` is summed over rows.
struct Answered {
  at::Tensor dq, dkv, dbeside;
};

float *floats(const at::Tensor &x) { return x.data_ptr<float>(); }

// By our own loops.
struct Loops {
  const Asked &asked;
  RowAttention attention;
  int64_t width;

  Loops(const Asked &asked, int64_t heads)
      : asked(asked),
        attention{asked.rows, heads, asked.q.size(1) / heads, asked.q.size(0) / asked.rows,
                  asked.beside.defined() ? asked.beside.size(0) : 0, asked.kv.size(0) / asked.rows},
        width(asked.q.size(1)) {}

  // Part `index` of [rows · count, parts · width].
  template <class Number = float>
  HeadsOf<Number> view(const at::Tensor &x, int64_t count, int64_t parts, int64_t index) const {
    if (!x.defined() || x.numel() == 0) return {};
    return {static_cast<Number *>(x.data_ptr()) + index * width, count * parts * width, parts * width};
  }
  template <class Number = float>
  HeadsOf<Number> asking(const at::Tensor &x) const {
    return view<Number>(x, attention.asking, 1, 0);
  }
  template <class Number = float>
  HeadsOf<Number> shared(const at::Tensor &x, int64_t index) const {
    return view<Number>(x, attention.shared, 2, index);
  }
  template <class Number = float>
  HeadsOf<Number> own(const at::Tensor &x, int64_t index) const {
    return view<Number>(x, attention.own, 2, index);
  }

  // What they give is of the queries' type; in bf16 without what a backward needs.
  std::tuple<at::Tensor, at::Tensor> forward(bool by_tiles) const {
    const at::Tensor mixed = at::empty_like(asked.q);
    if (asked.q.scalar_type() == at::kBFloat16) {
      using Half = uint16_t;
      const auto run = by_tiles ? &RowAttention::forward_by_tiles
                                : static_cast<decltype(&RowAttention::forward_by_tiles)>(&RowAttention::forward);
      (attention.*run)(asking<Half>(asked.q), shared<Half>(asked.beside, 0), shared<Half>(asked.beside, 1),
                       own<Half>(asked.kv, 0), own<Half>(asked.kv, 1), asking<Half>(mixed));
      return {mixed, at::Tensor()};
    }
    const at::Tensor sums = at::empty({attention.rows, attention.heads, attention.asking}, mixed.options());
    attention.forward(asking(asked.q), shared(asked.beside, 0), shared(asked.beside, 1), own(asked.kv, 0),
                      own(asked.kv, 1), asking(mixed), floats(sums));
    return {mixed, sums};
  }

  Answered backward(const at::Tensor &dmixed, const at::Tensor &mixed, const at::Tensor &sums) const {
    Answered out{at::empty_like(asked.q), at::empty_like(asked.kv), {}};
    if (asked.beside.defined())
      out.dbeside = at::empty({attention.rows, attention.shared, 2 * width}, asked.q.options());
    attention.backward(asking(dmixed), asking(mixed), asking(asked.q), shared(asked.beside, 0), shared(asked.beside, 1),
                       own(asked.kv, 0), own(asked.kv, 1), floats(sums), asking(out.dq), shared(out.dbeside, 0),
                       shared(out.dbeside, 1), own(out.dkv, 0), own(out.dkv, 1));
    if (asked.beside.defined()) out.dbeside = out.dbeside.sum(0);
    return out;
  }
};

// By libtorch's attention.
struct Library {
  at::Tensor q, k, v;
  int64_t rows, heads, count;
  bool shares;

  Library(const Asked &asked, int64_t heads)
      : rows(asked.rows),
        heads(heads),
        count(asked.beside.defined() ? asked.beside.size(0) : 0),
        shares(asked.beside.defined()) {
    q = part(asked.q, rows, 1, 0, heads);
    k = joined(asked, 0);
    v = joined(asked, 1);
  }

  at::Tensor joined(const Asked &asked, int64_t index) const {
    const at::Tensor own = part(asked.kv, rows, 2, index, heads);
    if (count == 0) return own;
    return at::cat({part(asked.beside, 1, 2, index, heads).expand({rows, -1, -1, -1}), own}, 2);
  }

  std::tuple<at::Tensor, at::Tensor> forward() const {
    ct::count_multiplications(2 * q.numel() * k.size(2));
    const auto [mixed, sums] = at::_scaled_dot_product_flash_attention_for_cpu(q, k, v);
    return {merged(mixed), sums};
  }

  Answered backward(const at::Tensor &dmixed, const at::Tensor &mixed, const at::Tensor &sums) const {
    ct::count_multiplications(5 * q.numel() * k.size(2));
    const auto [dq, dk, dv] = at::_scaled_dot_product_flash_attention_for_cpu_backward(
      part(dmixed, rows, 1, 0, heads), q, k, v, part(mixed, rows, 1, 0, heads), sums, 0.0, false);
    const int64_t tokens = k.size(2) - count, d = q.size(3);
    Answered out{merged(dq), at::empty({rows * tokens, 2 * heads * d}, q.options()), {}};
    if (shares) out.dbeside = at::empty({count, 2 * heads * d}, q.options());
    for (int64_t i = 0; i < 2; ++i) {
      const at::Tensor &dx = i == 0 ? dk : dv;
      part(out.dkv, rows, 2, i, heads).copy_(dx.narrow(2, count, tokens));
      if (count > 0) part(out.dbeside, 1, 2, i, heads).select(0, 0).copy_(dx.narrow(2, 0, count).sum(0));
    }
    return out;
  }
};

// Frozen weights that gradients pass through are packed: a tower with prompts takes many steps. Not in MKL's form: a batch that
// is taken in parts has parts of several sizes, and one of four pictures took 680 MiB for nothing.
Weights use(const Block &block, bool keep) {
  return keep && !block.trains() ? Weights::packed_for_any_rows : Weights::plain;
}

struct FusedBlock : torch::autograd::Function<FusedBlock> {
  // x: [rows, tokens, width]; beside: prompts [1, count, width]; the first `wanted` tokens have outputs.
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &input,
                            const std::optional<at::Tensor> &beside, const BlockPointer &pointer, int64_t wanted,
                            bool keep, at::TensorList /* trained, for the graph */) {
    const Block &block = *pointer;
    const at::Tensor prompts = beside ? beside->contiguous() : at::Tensor();
    const int64_t rows = input.size(0), tokens = input.size(1), width = input.size(2), heads = block.heads;
    const Weights kind = use(block, keep);
    // What no backward needs stays in the type of the products: the same numbers, and less memory to go through.
    const bool as_given = !keep && block.own_attention;
    const auto multiply = [&](const ct::Linear &linear, const at::Tensor &t) {
      return as_given ? linear.unconverted(t, kind) : linear(t, kind);
    };
    const at::Tensor x = input.contiguous();
    auto [h, mean1, rstd1] = block.norm1(x, block.all.type());
    const at::Tensor asking = wanted == tokens ? h : h.narrow(1, 0, wanted);
    const at::Tensor q = multiply(block.queries, asking.reshape({rows * wanted, width}));
    const at::Tensor kv = multiply(block.keys_values, h.view({rows * tokens, width}));
    at::Tensor mean_p, rstd_p, beside_kv;
    if (prompts.defined()) {
      auto [hp, mean, rstd] = block.norm1(prompts, block.all.type());
      mean_p = mean;
      rstd_p = rstd;
      beside_kv = multiply(block.keys_values, hp.view({hp.size(1), width}));
    }
    const Asked asked{q, kv, beside_kv, rows};
    const auto [mixed, sums] =
      block.own_attention ? Loops(asked, heads).forward(block.by_tiles) : Library(asked, heads).forward();
    at::Tensor x1 = block.output.unconverted_without_bias(mixed, kind).view({rows, wanted, width});
    auto [h2, mean2, rstd2] = block.norm2.after_adding(x, block.output.bias(), x1, block.up.type());
    at::Tensor s;
    const at::Tensor y = block.mlp(h2, x1, keep, kind, s);
    if (keep) {
      context->saved_data["block"] = c10::IValue::make_capsule(pointer);
      context->save_for_backward(
        {x, mean1, rstd1, q, kv, beside_kv, mixed, sums, x1, mean2, rstd2, s, prompts, mean_p, rstd_p});
    }
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 const torch::autograd::variable_list &cotangents) {
    const auto pointer = c10::static_intrusive_pointer_cast<Block>(context->saved_data["block"].toCapsule());
    const Block &block = *pointer;
    const Weights kind = use(block, true);
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &mean1 = saved[1], &rstd1 = saved[2], &mixed = saved[6], &sums = saved[7], &x1 = saved[8], &mean2 = saved[9], &rstd2 = saved[10], &s = saved[11],
               &prompts = saved[12];
    const int64_t rows = x.size(0), tokens = x.size(1), width = x.size(2), wanted = x1.size(1);
    const at::Tensor dy = cotangents[0].contiguous();
    WeightGradients weights(*context, block, prompts.defined() ? 2 : 1);
    const at::Tensor dx1 =
      block.norm2.backward(weights.mlp_backward(dy, s, x1, mean2, rstd2, kind), x1, mean2, rstd2, dy);
    const at::Tensor dx1_flat = dx1.view({rows * wanted, width});
    if (block.trains()) weights.linear(ct::output_at, dx1_flat, mixed);
    const at::Tensor dmerged = block.output.backward(dx1_flat, kind);
    const Asked asked{saved[3], saved[4], saved[5], rows};
    const auto [dq, dkv, dbeside] = block.own_attention
                                      ? Loops(asked, block.heads).backward(dmerged, mixed, sums)
                                      : Library(asked, block.heads).backward(dmerged, mixed, sums);
    const bool trains_qkv = weights.wants(ct::qkv_at) || weights.wants(ct::qkv_at + 1);
    const bool trains_first = trains_qkv || weights.wants(ct::norm1_at) || weights.wants(ct::norm1_at + 1);
    at::Tensor dx, dprompts;
    if (context->needs_input_grad(0) || trains_first) {
      if (trains_qkv) {
        const at::Tensor h = block.norm1(x).y;
        weights.linear(ct::qkv_at, dq, h.narrow(1, 0, wanted).reshape({rows * wanted, width}));
        weights.linear(ct::qkv_at, dkv, h.view({rows * tokens, width}), width);
      }
      const at::Tensor dh = block.keys_values.backward(dkv, kind).view({rows, tokens, width});
      dh.narrow(1, 0, wanted).add_(block.queries.backward(dq, kind).view({rows, wanted, width}));
      weights.norm(ct::norm1_at, dh, x, mean1, rstd1);
      if (context->needs_input_grad(0)) dx = block.norm1.backward(dh, x, mean1, rstd1, dx1);
    }
    const bool wants_prompts = prompts.defined() && context->needs_input_grad(1);
    if (wants_prompts || (prompts.defined() && trains_first)) {
      if (trains_qkv) weights.linear(ct::qkv_at, dbeside, block.norm1(prompts).y.view({dbeside.size(0), width}), width, true);
      const at::Tensor dh = block.keys_values.backward(dbeside, kind);
      weights.norm(ct::norm1_at, dh, prompts, saved[13], saved[14]);
      if (wants_prompts) dprompts = block.norm1.backward(dh, prompts, saved[13], saved[14]);
    }
    return weights.after({dx, dprompts, at::Tensor(), at::Tensor(), at::Tensor()});
  }
};

}  // namespace

int ct_block_apply(ct_block block, ct_tensor x, ct_tensor prompts, int64_t wanted, ct_tensor *out) {
  return guard("block", {x, prompts}, [&] {
    const at::Tensor &input = get(x);
    const auto single = [](const at::Tensor &t) { return t.is_cpu() && t.scalar_type() == at::kFloat; };
    TORCH_CHECK(input.dim() == 3 && single(input) && input.size(0) > 0 && input.size(2) == block->value->width,
                "expected [rows, tokens, ", block->value->width, "] in single precision, one row at least");
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
