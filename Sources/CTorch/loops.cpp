#include "Loops.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/TensorIterator.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "Vectors.hpp"

namespace {

using ct::Ask;
using ct::Rows;
using ct::Tokens;

// `D` is the length where it is known when this is compiled, else 0.
template <int D>
INLINE float dot(const float *x, const float *y, int64_t length) {
#pragma clang fp reassociate(on) contract(fast)
  const int64_t n = D ? D : length;
  float sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += x[i] * y[i];
  return sum;
}

template <int D>
INLINE void add_scaled(float *y, float a, const float *x, int64_t length) {
#pragma clang fp contract(fast)
  const int64_t n = D ? D : length;
  for (int64_t i = 0; i < n; ++i) y[i] += a * x[i];
}

// In place over scores of one row.
INLINE void softmax(float *s, int64_t count, float scale) {
#pragma clang fp reassociate(on)
  const float top = largest(s, count);
  float sum = 0;
  for (int64_t j = 0; j < count; ++j) {
    const float exponent = (s[j] - top) * scale;
    // Where one score is NaN another may be beyond the largest.
    s[j] = exponential(exponent > 0 ? 0 : exponent);
    sum += s[j];
  }
  const float inverse = 1 / sum;
  for (int64_t j = 0; j < count; ++j) s[j] *= inverse;
}

INLINE void gather(float *to, const Tokens &from, int64_t prompt, int64_t offset, int64_t count, int64_t d) {
  for (int64_t t = 0; t < count; ++t) std::memcpy(to + t * d, from.at(prompt, t, offset), d * sizeof(float));
}

// One head of one prompt. `room` has 2 · prefix · d floats.
template <int D>
INLINE void forward_head(const ct::TextAttention &a, int64_t p, int64_t h, const Tokens &q, const Tokens &k, const Tokens &v,
                         const Tokens &out, float *shares, float *room) {
  const int64_t d = D ? D : a.d, offset = h * d;
  const float scale = 1 / std::sqrt(static_cast<float>(d));
  float *keys = room, *values = room + a.prefix * d;
  gather(keys, k, p, offset, a.prefix, d);
  gather(values, v, p, offset, a.prefix, d);
  for (size_t i = 0; i < a.asks.size(); ++i) {
    const Ask &ask = a.asks[i];
    const float *query = q.at(p, ask.row, offset);
    float *s = shares + i * a.keys, *to = out.at(p, ask.row, offset);
    for (int64_t j = 0; j < ask.prefix; ++j) s[j] = dot<D>(query, keys + j * d, d);
    for (int64_t j = 0; j < ask.count; ++j) s[ask.prefix + j] = dot<D>(query, k.at(p, ask.own + j, offset), d);
    softmax(s, ask.prefix + ask.count, scale);
    std::memset(to, 0, d * sizeof(float));
    for (int64_t j = 0; j < ask.prefix; ++j) add_scaled<D>(to, s[j], values + j * d, d);
    for (int64_t j = 0; j < ask.count; ++j) add_scaled<D>(to, s[ask.prefix + j], v.at(p, ask.own + j, offset), d);
  }
}

// `room` has 4 · prefix · d + keys floats.
template <int D>
INLINE void backward_head(const ct::TextAttention &a, int64_t p, int64_t h, const Tokens &dout, const Tokens &q,
                          const Tokens &k, const Tokens &v, const float *shares, const Tokens &dq, const Tokens &dk,
                          const Tokens &dv, float *room) {
  const int64_t d = D ? D : a.d, offset = h * d, size = a.prefix * d;
  const float scale = 1 / std::sqrt(static_cast<float>(d));
  float *keys = room, *values = room + size, *dkeys = room + 2 * size, *dvalues = room + 3 * size, *ds = room + 4 * size;
  gather(keys, k, p, offset, a.prefix, d);
  gather(values, v, p, offset, a.prefix, d);
  std::memset(dkeys, 0, 2 * size * sizeof(float));
  for (int64_t t = a.prefix; t < a.tokens; ++t) {
    std::memset(dk.at(p, t, offset), 0, d * sizeof(float));
    std::memset(dv.at(p, t, offset), 0, d * sizeof(float));
  }
  for (size_t i = 0; i < a.asks.size(); ++i) {
    const Ask &ask = a.asks[i];
    const int64_t seen = ask.prefix + ask.count;
    const float *query = q.at(p, ask.row, offset), *cotangent = dout.at(p, ask.row, offset), *s = shares + i * a.keys;
    for (int64_t j = 0; j < ask.prefix; ++j) ds[j] = dot<D>(cotangent, values + j * d, d);
    for (int64_t j = 0; j < ask.count; ++j) ds[ask.prefix + j] = dot<D>(cotangent, v.at(p, ask.own + j, offset), d);
    const float mean = dot<0>(s, ds, seen);
    for (int64_t j = 0; j < seen; ++j) ds[j] = s[j] * (ds[j] - mean) * scale;
    float *to = dq.at(p, ask.row, offset);
    std::memset(to, 0, d * sizeof(float));
    for (int64_t j = 0; j < ask.prefix; ++j) {
      add_scaled<D>(to, ds[j], keys + j * d, d);
      add_scaled<D>(dkeys + j * d, ds[j], query, d);
      add_scaled<D>(dvalues + j * d, s[j], cotangent, d);
    }
    for (int64_t j = 0; j < ask.count; ++j) {
      add_scaled<D>(to, ds[ask.prefix + j], k.at(p, ask.own + j, offset), d);
      add_scaled<D>(dk.at(p, ask.own + j, offset), ds[ask.prefix + j], query, d);
      add_scaled<D>(dv.at(p, ask.own + j, offset), s[ask.prefix + j], cotangent, d);
    }
  }
  for (int64_t t = 0; t < a.prefix; ++t) {
    std::memcpy(dk.at(p, t, offset), dkeys + t * d, d * sizeof(float));
    std::memcpy(dv.at(p, t, offset), dvalues + t * d, d * sizeof(float));
  }
}

EVERY_PROCESSOR void forward_heads(const ct::TextAttention &a, int64_t begin, int64_t end, const Tokens &q, const Tokens &k,
                                   const Tokens &v, const Tokens &out, float *shares, float *room) {
  for (int64_t i = begin; i < end; ++i) {
    float *own = shares + i * static_cast<int64_t>(a.asks.size()) * a.keys;
    switch (a.d) {
      case 64: forward_head<64>(a, i / a.heads, i % a.heads, q, k, v, out, own, room); break;
      case 32: forward_head<32>(a, i / a.heads, i % a.heads, q, k, v, out, own, room); break;
      default: forward_head<0>(a, i / a.heads, i % a.heads, q, k, v, out, own, room);
    }
  }
}

EVERY_PROCESSOR void backward_heads(const ct::TextAttention &a, int64_t begin, int64_t end, const Tokens &dout,
                                    const Tokens &q, const Tokens &k, const Tokens &v, const float *shares,
                                    const Tokens &dq, const Tokens &dk, const Tokens &dv, float *room) {
  for (int64_t i = begin; i < end; ++i) {
    const float *own = shares + i * static_cast<int64_t>(a.asks.size()) * a.keys;
    switch (a.d) {
      case 64: backward_head<64>(a, i / a.heads, i % a.heads, dout, q, k, v, own, dq, dk, dv, room); break;
      case 32: backward_head<32>(a, i / a.heads, i % a.heads, dout, q, k, v, own, dq, dk, dv, room); break;
      default: backward_head<0>(a, i / a.heads, i % a.heads, dout, q, k, v, own, dq, dk, dv, room);
    }
  }
}

// Where a product came in bf16, else nothing.
const uint16_t *halves(const ct::Numbers &from) {
  return from.are_halves ? static_cast<const uint16_t *>(from.data) : nullptr;
}

template <class Number>
INLINE void add_norm_rows(int64_t begin, int64_t end, int64_t width, const ct::NormWeights &norm, const uint16_t *from,
                          float *sum, const Rows &x, const float *offset, Number *y, float *mean, float *rstd) {
#pragma clang fp reassociate(on) contract(fast)
  for (int64_t i = begin; i < end; ++i) {
    float *row = sum + i * width;
    Number *to = y + i * width;
    float total = 0;
    if (x.data && from) {
      const float *other = x.row(i, width);
      const uint16_t *product = from + i * width;
      for (int64_t c = 0; c < width; ++c) total += row[c] = load(product[c]) + (other[c] + offset[c]);
    } else if (x.data) {
      const float *other = x.row(i, width);
      for (int64_t c = 0; c < width; ++c) total += row[c] += other[c] + offset[c];
    } else {
      for (int64_t c = 0; c < width; ++c) total += row[c];
    }
    const float middle = total / static_cast<float>(width);
    float squares = 0;
    for (int64_t c = 0; c < width; ++c) squares += (row[c] - middle) * (row[c] - middle);
    const float inverse = 1 / std::sqrt(squares / static_cast<float>(width) + static_cast<float>(norm.epsilon));
    for (int64_t c = 0; c < width; ++c) store(to[c], (row[c] - middle) * inverse * norm.weight[c] + norm.bias[c]);
    mean[i] = middle;
    rstd[i] = inverse;
  }
}

EVERY_PROCESSOR void add_norm_parts(int64_t begin, int64_t end, int64_t width, const ct::NormWeights &norm,
                                    const uint16_t *from, float *sum, const Rows &x, const float *offset,
                                    const ct::Numbers &y, float *mean, float *rstd) {
  if (y.are_halves)
    add_norm_rows(begin, end, width, norm, from, sum, x, offset, static_cast<uint16_t *>(y.data), mean, rstd);
  else
    add_norm_rows(begin, end, width, norm, from, sum, x, offset, static_cast<float *>(y.data), mean, rstd);
}

EVERY_PROCESSOR void norm_backward_rows(int64_t begin, int64_t end, int64_t width, const float *weight, const float *dy,
                                        const float *x, const float *mean, const float *rstd, const float *residual,
                                        int64_t with, int64_t of, float *dx) {
#pragma clang fp reassociate(on) contract(fast)
  for (int64_t i = begin; i < end; ++i) {
    const float *cotangent = dy + i * width, *row = x + i * width;
    float *to = dx + i * width;
    const float middle = mean[i], inverse = rstd[i];
    float plain = 0, along = 0;
    for (int64_t c = 0; c < width; ++c) {
      const float g = cotangent[c] * weight[c];
      plain += g;
      along += g * ((row[c] - middle) * inverse);
    }
    plain /= static_cast<float>(width);
    along /= static_cast<float>(width);
    for (int64_t c = 0; c < width; ++c)
      to[c] = inverse * (cotangent[c] * weight[c] - plain - (row[c] - middle) * inverse * along);
    if (residual && i % of < with) {
      const float *other = residual + ((i / of) * with + i % of) * width;
      for (int64_t c = 0; c < width; ++c) to[c] += other[c];
    }
  }
}

constexpr float quick_gelu_scale = 1.702f;

INLINE float sigmoid(float x) {
  const float e = exponential(x < 0 ? x : -x);
  return (x < 0 ? e : 1.0f) / (1.0f + e);
}

template <class Number>
INLINE void quick_gelus(int64_t begin, int64_t end, const Number *x, Number *y) {
  // In place the two overlap at the same index only, which the compiler's own check takes for a reason to go number by number.
#pragma clang loop vectorize(assume_safety)
  for (int64_t i = begin; i < end; ++i) {
    const float value = load(x[i]);
    store(y[i], value * sigmoid(quick_gelu_scale * value));
  }
}

EVERY_PROCESSOR void quick_gelu_part(int64_t begin, int64_t end, const ct::Numbers &x, const ct::Numbers &y) {
  if (x.are_halves)
    quick_gelus(begin, end, static_cast<const uint16_t *>(x.data), static_cast<uint16_t *>(y.data));
  else
    quick_gelus(begin, end, static_cast<const float *>(x.data), static_cast<float *>(y.data));
}

EVERY_PROCESSOR void bias_quick_gelu_rows(int64_t begin, int64_t end, int64_t width, const float *bias, float *x, float *y) {
  for (int64_t i = begin; i < end; ++i) {
    float *row = x + i * width, *to = y + i * width;
    if (x == y) {
      for (int64_t c = 0; c < width; ++c) {
        const float value = row[c] + bias[c];
        row[c] = value * sigmoid(quick_gelu_scale * value);
      }
    } else {
      for (int64_t c = 0; c < width; ++c) {
        const float value = row[c] + bias[c];
        row[c] = value;
        to[c] = value * sigmoid(quick_gelu_scale * value);
      }
    }
  }
}

EVERY_PROCESSOR void add_biased_rows(int64_t begin, int64_t end, int64_t width, const float *bias, const float *x,
                                     const uint16_t *from, float *y) {
  for (int64_t i = begin; i < end; ++i) {
    const float *row = x + i * width;
    float *to = y + i * width;
    if (from) {
      const uint16_t *product = from + i * width;
      for (int64_t c = 0; c < width; ++c) to[c] = load(product[c]) + (row[c] + bias[c]);
    } else {
      for (int64_t c = 0; c < width; ++c) to[c] += row[c] + bias[c];
    }
  }
}

template <class Number>
INLINE void quick_gelu_derivatives(int64_t begin, int64_t end, const Number *x, Number *d) {
  for (int64_t i = begin; i < end; ++i) {
    const float value = load(x[i]), s = sigmoid(quick_gelu_scale * value);
    store(d[i], load(d[i]) * (s * (1.0f + quick_gelu_scale * value * (1.0f - s))));
  }
}

EVERY_PROCESSOR void quick_gelu_backward_part(int64_t begin, int64_t end, const ct::Numbers &x, const ct::Numbers &d) {
  if (x.are_halves)
    quick_gelu_derivatives(begin, end, static_cast<const uint16_t *>(x.data), static_cast<uint16_t *>(d.data));
  else
    quick_gelu_derivatives(begin, end, static_cast<const float *>(x.data), static_cast<float *>(d.data));
}

}  // namespace

namespace ct {

// at::parallel_for is a template that would have to be compiled with OpenMP here; an iterator's loop over as many bytes is
// compiled into libtorch.
void parallel(int64_t count, c10::function_ref<void(int64_t, int64_t)> body) {
  if (count < 2 || at::get_num_threads() == 1) {
    if (count > 0) body(0, count);
    return;
  }
  const at::Tensor places = at::empty({count}, at::kByte);
  const char *base = static_cast<const char *>(places.const_data_ptr());
  auto iterator = at::TensorIteratorConfig().check_all_same_dtype(false).add_output(places).resize_outputs(false).build();
  iterator.for_each(
    [&](char **data, const int64_t *, int64_t length) { body(data[0] - base, data[0] - base + length); }, 1);
}

// `parallel` over numbers, so many at a time that a thread is worth it.
static void in_pieces(int64_t count, c10::function_ref<void(int64_t, int64_t)> body) {
  constexpr int64_t piece = 8192;
  parallel((count + piece - 1) / piece,
           [&](int64_t begin, int64_t end) { body(begin * piece, std::min(count, end * piece)); });
}

void add_norm(int64_t rows, int64_t width, const NormWeights &norm, const Numbers &from, float *sum, const Rows &x,
              const float *offset, const Numbers &y, float *mean, float *rstd) {
  parallel(rows, [&](int64_t begin, int64_t end) {
    add_norm_parts(begin, end, width, norm, halves(from), sum, x, offset, y, mean, rstd);
  });
}

void norm_backward(int64_t rows, int64_t width, const NormWeights &norm, const float *dy, const float *x,
                   const float *mean, const float *rstd, const float *residual, int64_t with, int64_t of, float *dx) {
  parallel(rows, [&](int64_t begin, int64_t end) {
    norm_backward_rows(begin, end, width, norm.weight, dy, x, mean, rstd, residual, with, of, dx);
  });
}

void quick_gelu(int64_t count, const Numbers &x, const Numbers &y) {
  in_pieces(count, [&](int64_t begin, int64_t end) { quick_gelu_part(begin, end, x, y); });
}

void bias_quick_gelu(int64_t rows, int64_t width, const float *bias, float *x, float *y) {
  parallel(rows, [&](int64_t begin, int64_t end) { bias_quick_gelu_rows(begin, end, width, bias, x, y); });
}

void add_biased(int64_t rows, int64_t width, const float *bias, const float *x, const Numbers &from, float *y) {
  parallel(rows, [&](int64_t begin, int64_t end) { add_biased_rows(begin, end, width, bias, x, halves(from), y); });
}

void quick_gelu_backward(int64_t count, const Numbers &x, const Numbers &d) {
  in_pieces(count, [&](int64_t begin, int64_t end) { quick_gelu_backward_part(begin, end, x, d); });
}

int64_t TextAttention::seen() const {
  int64_t sum = 0;
  for (const Ask &ask : asks) sum += ask.prefix + ask.count;
  return prompts * heads * d * sum;
}

void TextAttention::forward(const Tokens &q, const Tokens &k, const Tokens &v, const Tokens &out, float *shares) const {
  count_multiplications(2 * seen());
  parallel(prompts * heads, [&](int64_t begin, int64_t end) {
    std::vector<float> room(2 * prefix * d);
    forward_heads(*this, begin, end, q, k, v, out, shares, room.data());
  });
}

void TextAttention::backward(const Tokens &dout, const Tokens &q, const Tokens &k, const Tokens &v, const float *shares,
                             const Tokens &dq, const Tokens &dk, const Tokens &dv) const {
  count_multiplications(4 * seen());
  parallel(prompts * heads, [&](int64_t begin, int64_t end) {
    std::vector<float> room(4 * prefix * d + keys);
    backward_heads(*this, begin, end, dout, q, k, v, shares, dq, dk, dv, room.data());
  });
}

}  // namespace ct
