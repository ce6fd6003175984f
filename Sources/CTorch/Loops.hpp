// Loops of fused blocks on the processor, in single precision but where Numbers are bf16, where libtorch's ops would pass over memory more often or call
// a matrix product for a handful of rows.
#pragma once

#include <c10/util/FunctionRef.h>

#include <cstdint>
#include <vector>

namespace ct {

// Takes note of the multiplications of a product, each with an addition (ct_operations).
void count_multiplications(int64_t count);

// Calls `body(begin, end)` for parts of 0..<count on libtorch's threads. Which index belongs to which part must not matter.
void parallel(int64_t count, c10::function_ref<void(int64_t, int64_t)> body);

// Rows of `width` floats: row i is the (i % per)-th of group i / per, groups begin `stride` rows apart.
struct Rows {
  float *data = nullptr;
  int64_t per = 1, stride = 1;

  float *row(int64_t i, int64_t width) const { return data + ((i / per) * stride + i % per) * width; }
};

// Numbers in a row, in single precision or in bf16.
struct Numbers {
  void *data = nullptr;
  bool are_halves = false;
};

struct NormWeights {
  const float *weight, *bias;
  double epsilon;
};

// sum[i] = from[i] + (x[i] + offset), then y[i] = norm(sum[i]); `mean` and `rstd` hold a number a row. In single precision
// `from` is `sum`. Without `x` nothing is added, and `from` is `sum` too.
void add_norm(int64_t rows, int64_t width, const NormWeights &norm, const Numbers &from, float *sum, const Rows &x,
              const float *offset, const Numbers &y, float *mean, float *rstd);

// dx[i] = the norm's gradient for its input + the first `with` of every `of` rows of `residual`.
void norm_backward(int64_t rows, int64_t width, const NormWeights &norm, const float *dy, const float *x,
                   const float *mean, const float *rstd, const float *residual, int64_t with, int64_t of, float *dx);

// y = x σ(1.702 x), both of one type; `y` may be `x`.
void quick_gelu(int64_t count, const Numbers &x, const Numbers &y);
// x[i] += bias in place, then y[i] = x[i] σ(1.702 x[i]); `y` may be `x`, which then holds that.
void bias_quick_gelu(int64_t rows, int64_t width, const float *bias, float *x, float *y);
// y[i] = from[i] + (x[i] + bias); in single precision `from` is `y`.
void add_biased(int64_t rows, int64_t width, const float *bias, const float *x, const Numbers &from, float *y);
// d is multiplied by the derivative at `x`.
void quick_gelu_backward(int64_t count, const Numbers &x, const Numbers &d);

// Attention over texts that share a prefix: row `row` asks the first `prefix` tokens of its prompt and, behind the whole
// prefix, the tokens own ..< own + count.
struct Ask {
  int64_t row, prefix, own, count;
};

// Where queries, keys or values stand: token t of prompt p at data + p · prompt + t · token, head h behind it at h · d.
struct Tokens {
  float *data;
  int64_t prompt, token;

  float *at(int64_t p, int64_t t, int64_t offset) const { return data + p * prompt + t * token + offset; }
};

struct TextAttention {
  std::vector<Ask> asks;
  // Tokens of a prefix and of a prompt; keys that a row sees at most.
  int64_t prompts, heads, d, prefix, tokens, keys;

  // Numbers that one product of all rows with all that they see multiplies.
  int64_t seen() const;

  // `shares` [prompts, heads, asks, keys] holds what each row gives to what it sees.
  void forward(const Tokens &q, const Tokens &k, const Tokens &v, const Tokens &out, float *shares) const;
  void backward(const Tokens &dout, const Tokens &q, const Tokens &k, const Tokens &v, const float *shares,
                const Tokens &dq, const Tokens &dk, const Tokens &dv) const;
};

}  // namespace ct
