// Attention of rows of tokens on the processor: every token sees all keys of its row, and in front of them keys that all rows
// share. It computes in single precision; queries, keys and values may come in bf16, and what they give goes back rounded. Where
// the processor multiplies tiles in bf16, these do.
//
// Beside libtorch's own attention: nothing is gathered into [rows, heads, tokens, d] first, keys that rows share stand there
// once, and products are kernels of ours. libtorch's go through its BLAS (see Products.hpp).
#pragma once

#include <cstdint>

namespace ct {

// Vectors of heads beside each other: head h of token t of row r at data + r · row + t · token + h · d.
template <class Number>
struct HeadsOf {
  Number *data = nullptr;
  int64_t row = 0, token = 0;

  Number *at(int64_t r, int64_t t, int64_t offset) const { return data + r * row + t * token + offset; }
};

using Heads = HeadsOf<float>;
// In bf16, as its bits.
using HalfHeads = HeadsOf<uint16_t>;

struct RowAttention {
  // Tokens that ask, keys that all rows share, and keys of a row's own.
  int64_t rows, heads, d, asking, shared, own;

  int64_t keys() const { return shared + own; }

  // softmax(q kᵀ / √d) v; `sums` [rows, heads, asking] is the logarithm of what each softmax divides by.
  void forward(const Heads &q, const Heads &shared_k, const Heads &shared_v, const Heads &k, const Heads &v,
               const Heads &out, float *sums) const;
  // The same without what a backward needs.
  void forward(const HalfHeads &q, const HalfHeads &shared_k, const HalfHeads &shared_v, const HalfHeads &k,
               const HalfHeads &v, const HalfHeads &out) const;
  // Where has_tiles(d): products in bf16, for which what a softmax gives is rounded too.
  void forward_by_tiles(const HalfHeads &q, const HalfHeads &shared_k, const HalfHeads &shared_v, const HalfHeads &k,
                        const HalfHeads &v, const HalfHeads &out) const;
  // The gradients, written over what is there; those of shared keys for each row by itself.
  void backward(const Heads &dout, const Heads &out, const Heads &q, const Heads &shared_k, const Heads &shared_v,
                const Heads &k, const Heads &v, const float *sums, const Heads &dq, const Heads &shared_dk,
                const Heads &shared_dv, const Heads &dk, const Heads &dv) const;
};

// Whether the loops of RowAttention are compiled for registers wide enough to be faster than libtorch's.
bool has_wide_registers();
// Whether the processor has units that multiply tiles in bf16, and heads of `d` numbers fill them.
bool has_tiles(int64_t d);

}  // namespace ct
