#include "Attention.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>
#include <vector>

#include "Vectors.hpp"

namespace {

using ct::HalfHeads;
using ct::Heads;
using ct::HeadsOf;
using ct::RowAttention;

typedef float Vector __attribute__((vector_size(64), aligned(4)));
constexpr int64_t lanes = 16;
// Tokens whose scores are in work at once.
constexpr int64_t block = 48;

int64_t padded(int64_t count) { return (count + lanes - 1) / lanes * lanes; }

// c[i][j] = Σ a[i · row + k · step] b[k][j] for R rows and V vectors of columns, or on top of what is there.
template <int R, int V>
INLINE void tile(int64_t depth, const float *a, int64_t row, int64_t step, const float *b, int64_t b_row, float *c,
                 int64_t c_row, bool adds) {
#pragma clang fp contract(fast)
  Vector sum[R][V];
  for (int i = 0; i < R; ++i)
    for (int j = 0; j < V; ++j) {
      if (adds)
        std::memcpy(&sum[i][j], c + i * c_row + j * lanes, sizeof(Vector));
      else
        sum[i][j] = Vector{};
    }
  for (int64_t k = 0; k < depth; ++k) {
    Vector from[V];
    for (int j = 0; j < V; ++j) std::memcpy(&from[j], b + k * b_row + j * lanes, sizeof(Vector));
    for (int i = 0; i < R; ++i) {
      const float factor = a[i * row + k * step];
      for (int j = 0; j < V; ++j) sum[i][j] += from[j] * factor;
    }
  }
  for (int i = 0; i < R; ++i)
    for (int j = 0; j < V; ++j) std::memcpy(c + i * c_row + j * lanes, &sum[i][j], sizeof(Vector));
}

// Two matrices' product in tiles: c [rows, columns] = A b, columns a multiple of 16. A tile keeps 24 sums in registers.
template <int V>
INLINE void panel(int64_t rows, int64_t depth, const float *a, int64_t row, int64_t step, const float *b, int64_t b_row,
                  float *c, int64_t c_row, bool adds) {
  constexpr int R = 24 / V;
  int64_t i = 0;
  for (; i + R <= rows; i += R) tile<R, V>(depth, a + i * row, row, step, b, b_row, c + i * c_row, c_row, adds);
  if constexpr (R > 4)
    for (; i + 4 <= rows; i += 4) tile<4, V>(depth, a + i * row, row, step, b, b_row, c + i * c_row, c_row, adds);
  for (; i < rows; ++i) tile<1, V>(depth, a + i * row, row, step, b, b_row, c + i * c_row, c_row, adds);
}

INLINE void multiply(int64_t rows, int64_t columns, int64_t depth, const float *a, int64_t row, int64_t step, const float *b,
                     int64_t b_row, float *c, int64_t c_row, bool adds = false) {
  int64_t j = 0;
  for (; j + 4 * lanes <= columns; j += 4 * lanes)
    panel<4>(rows, depth, a, row, step, b + j, b_row, c + j, c_row, adds);
  for (; j + 2 * lanes <= columns; j += 2 * lanes)
    panel<2>(rows, depth, a, row, step, b + j, b_row, c + j, c_row, adds);
  for (; j < columns; j += lanes) panel<1>(rows, depth, a, row, step, b + j, b_row, c + j, c_row, adds);
}

template <class Number>
INLINE void copy(int64_t d, const Number *from, float *to) {
  for (int64_t c = 0; c < d; ++c) to[c] = load(from[c]);
}

// Keys or values of one row and head, the shared ones first: [keys, d].
template <class Number>
INLINE void gather(const RowAttention &a, int64_t r, int64_t offset, const HeadsOf<Number> &shared,
                   const HeadsOf<Number> &own, float *to) {
  for (int64_t t = 0; t < a.shared; ++t) copy(a.d, shared.at(0, t, offset), to + t * a.d);
  for (int64_t t = 0; t < a.own; ++t) copy(a.d, own.at(r, t, offset), to + (a.shared + t) * a.d);
}

INLINE void scatter(const RowAttention &a, int64_t r, int64_t offset, const float *from, const Heads &shared,
                    const Heads &own) {
  for (int64_t t = 0; t < a.shared; ++t) std::memcpy(shared.at(r, t, offset), from + t * a.d, a.d * sizeof(float));
  for (int64_t t = 0; t < a.own; ++t)
    std::memcpy(own.at(r, t, offset), from + (a.shared + t) * a.d, a.d * sizeof(float));
}

// [count, d] as [d, columns], zeros behind `count`.
INLINE void transpose(int64_t count, int64_t d, int64_t columns, const float *from, float *to) {
  for (int64_t c = 0; c < d; ++c) std::memset(to + c * columns + count, 0, (columns - count) * sizeof(float));
  for (int64_t first = 0; first < count; first += lanes)
    for (int64_t c = 0; c < d; ++c)
      for (int64_t t = first; t < std::min(count, first + lanes); ++t) to[c * columns + t] = from[t * d + c];
}

// What one thread needs for one head, side by side.
struct Room {
  std::vector<float> storage;
  float *keys, *values, *keys_t, *values_t, *dkeys, *dvalues, *scores, *dscores;
  // What a block of tokens asks and gets, where it does not stand in single precision.
  float *asking, *mixed;

  Room(const RowAttention &a, bool backward) {
    const int64_t flat = a.keys() * a.d, columns = padded(a.keys()), turned = columns * a.d, few = block * columns;
    storage.resize(2 * flat + turned + few + (backward ? turned + 2 * flat + few : 2 * block * a.d));
    float *next = storage.data();
    const auto take = [&](int64_t count) {
      float *here = next;
      next += count;
      return here;
    };
    keys = take(flat);
    values = take(flat);
    keys_t = take(turned);
    scores = take(few);
    if (!backward) {
      asking = take(block * a.d);
      mixed = take(block * a.d);
      return;
    }
    values_t = take(turned);
    dkeys = take(flat);
    dvalues = take(flat);
    dscores = take(few);
  }
};

template <class Number>
INLINE void forward_head(const RowAttention &a, int64_t r, int64_t h, const HeadsOf<Number> &q,
                         const HeadsOf<Number> &shared_k, const HeadsOf<Number> &shared_v, const HeadsOf<Number> &k,
                         const HeadsOf<Number> &v, const HeadsOf<Number> &out, float *sums, Room &room) {
#pragma clang fp reassociate(on) contract(fast)
  const int64_t d = a.d, offset = h * d, keys = a.keys(), columns = padded(keys);
  const float scale = 1 / std::sqrt(static_cast<float>(d));
  gather(a, r, offset, shared_k, k, room.keys);
  gather(a, r, offset, shared_v, v, room.values);
  transpose(keys, d, columns, room.keys, room.keys_t);
  for (int64_t first = 0; first < a.asking; first += block) {
    const int64_t count = std::min(block, a.asking - first);
    if constexpr (std::is_same_v<Number, float>) {
      multiply(count, columns, d, q.at(r, first, offset), q.token, 1, room.keys_t, columns, room.scores, columns);
    } else {
      for (int64_t i = 0; i < count; ++i) copy(d, q.at(r, first + i, offset), room.asking + i * d);
      multiply(count, columns, d, room.asking, d, 1, room.keys_t, columns, room.scores, columns);
    }
    for (int64_t i = 0; i < count; ++i) {
      float *s = room.scores + i * columns;
      const float top = largest(s, keys);
      float sum = 0;
      for (int64_t j = 0; j < keys; ++j) {
        const float exponent = (s[j] - top) * scale;
        // Where one score is NaN another may be beyond the largest.
        sum += s[j] = exponential(exponent > 0 ? 0 : exponent);
      }
      const float inverse = 1 / sum;
      for (int64_t j = 0; j < keys; ++j) s[j] *= inverse;
      if (sums) sums[first + i] = top * scale + std::log(sum);
    }
    if constexpr (std::is_same_v<Number, float>) {
      multiply(count, d, keys, room.scores, columns, 1, room.values, d, out.at(r, first, offset), out.token);
    } else {
      multiply(count, d, keys, room.scores, columns, 1, room.values, d, room.mixed, d);
      for (int64_t i = 0; i < count; ++i) {
        Number *to = out.at(r, first + i, offset);
        for (int64_t c = 0; c < d; ++c) store(to[c], room.mixed[i * d + c]);
      }
    }
  }
}

INLINE void backward_head(const RowAttention &a, int64_t r, int64_t h, const Heads &dout, const Heads &out, const Heads &q,
                          const Heads &shared_k, const Heads &shared_v, const Heads &k, const Heads &v, const float *sums,
                          const Heads &dq, const Heads &shared_dk, const Heads &shared_dv, const Heads &dk,
                          const Heads &dv, Room &room) {
#pragma clang fp reassociate(on) contract(fast)
  const int64_t d = a.d, offset = h * d, keys = a.keys(), columns = padded(keys);
  const float scale = 1 / std::sqrt(static_cast<float>(d));
  gather(a, r, offset, shared_k, k, room.keys);
  gather(a, r, offset, shared_v, v, room.values);
  transpose(keys, d, columns, room.keys, room.keys_t);
  transpose(keys, d, columns, room.values, room.values_t);
  for (int64_t first = 0; first < a.asking; first += block) {
    const int64_t count = std::min(block, a.asking - first);
    const float *ask = q.at(r, first, offset), *cotangent = dout.at(r, first, offset);
    multiply(count, columns, d, ask, q.token, 1, room.keys_t, columns, room.scores, columns);
    multiply(count, columns, d, cotangent, dout.token, 1, room.values_t, columns, room.dscores, columns);
    for (int64_t i = 0; i < count; ++i) {
      float *s = room.scores + i * columns, *ds = room.dscores + i * columns;
      const float *given = dout.at(r, first + i, offset), *mixed = out.at(r, first + i, offset);
      float mean = 0;
      for (int64_t c = 0; c < d; ++c) mean += given[c] * mixed[c];
      const float total = sums[first + i];
      for (int64_t j = 0; j < keys; ++j) {
        const float exponent = s[j] * scale - total;
        s[j] = exponential(exponent > 0 ? 0 : exponent);
        ds[j] = s[j] * (ds[j] - mean) * scale;
      }
    }
    multiply(count, d, keys, room.dscores, columns, 1, room.keys, d, dq.at(r, first, offset), dq.token);
    multiply(keys, d, count, room.dscores, 1, columns, ask, q.token, room.dkeys, d, first > 0);
    multiply(keys, d, count, room.scores, 1, columns, cotangent, dout.token, room.dvalues, d, first > 0);
  }
  scatter(a, r, offset, room.dkeys, shared_dk, dk);
  scatter(a, r, offset, room.dvalues, shared_dv, dv);
}

EVERY_PROCESSOR void forward_heads(const RowAttention &a, int64_t begin, int64_t end, const Heads &q, const Heads &shared_k,
                                   const Heads &shared_v, const Heads &k, const Heads &v, const Heads &out, float *sums,
                                   Room &room) {
  for (int64_t i = begin; i < end; ++i)
    forward_head(a, i / a.heads, i % a.heads, q, shared_k, shared_v, k, v, out, sums + i * a.asking, room);
}

EVERY_PROCESSOR void forward_heads(const RowAttention &a, int64_t begin, int64_t end, const HalfHeads &q,
                                   const HalfHeads &shared_k, const HalfHeads &shared_v, const HalfHeads &k,
                                   const HalfHeads &v, const HalfHeads &out, float *, Room &room) {
  for (int64_t i = begin; i < end; ++i)
    forward_head(a, i / a.heads, i % a.heads, q, shared_k, shared_v, k, v, out, nullptr, room);
}

template <class Number>
void forward_of(const RowAttention &a, const HeadsOf<Number> &q, const HeadsOf<Number> &shared_k,
                const HeadsOf<Number> &shared_v, const HeadsOf<Number> &k, const HeadsOf<Number> &v,
                const HeadsOf<Number> &out, float *sums) {
  ct::count_multiplications(2 * a.rows * a.heads * a.asking * a.keys() * a.d);
  ct::parallel(a.rows * a.heads, [&](int64_t begin, int64_t end) {
    Room room(a, false);
    forward_heads(a, begin, end, q, shared_k, shared_v, k, v, out, sums, room);
  });
}

EVERY_PROCESSOR void backward_heads(const RowAttention &a, int64_t begin, int64_t end, const Heads &dout, const Heads &out,
                                    const Heads &q, const Heads &shared_k, const Heads &shared_v, const Heads &k,
                                    const Heads &v, const float *sums, const Heads &dq, const Heads &shared_dk,
                                    const Heads &shared_dv, const Heads &dk, const Heads &dv, Room &room) {
  for (int64_t i = begin; i < end; ++i)
    backward_head(a, i / a.heads, i % a.heads, dout, out, q, shared_k, shared_v, k, v, sums + i * a.asking, dq, shared_dk,
                  shared_dv, dk, dv, room);
}

}  // namespace

namespace ct {

void RowAttention::forward(const Heads &q, const Heads &shared_k, const Heads &shared_v, const Heads &k, const Heads &v,
                           const Heads &out, float *sums) const {
  forward_of(*this, q, shared_k, shared_v, k, v, out, sums);
}

void RowAttention::forward(const HalfHeads &q, const HalfHeads &shared_k, const HalfHeads &shared_v, const HalfHeads &k,
                           const HalfHeads &v, const HalfHeads &out) const {
  forward_of(*this, q, shared_k, shared_v, k, v, out, nullptr);
}

void RowAttention::backward(const Heads &dout, const Heads &out, const Heads &q, const Heads &shared_k,
                            const Heads &shared_v, const Heads &k, const Heads &v, const float *sums, const Heads &dq,
                            const Heads &shared_dk, const Heads &shared_dv, const Heads &dk, const Heads &dv) const {
  // The scores once more, and four of the gradients.
  count_multiplications(5 * rows * heads * asking * keys() * d);
  parallel(rows * heads, [&](int64_t begin, int64_t end) {
    Room room(*this, true);
    backward_heads(*this, begin, end, dout, out, q, shared_k, shared_v, k, v, sums, dq, shared_dk, shared_dv, dk, dv, room);
  });
}

bool has_wide_registers() {
#if defined(__x86_64__) && defined(__linux__)
  static const bool answer = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  return answer;
#else
  return false;
#endif
}

}  // namespace ct
