// Ops, differentiable through libtorch's own autograd; `linear` has one of its own (Products.hpp).
#include <ATen/ATen.h>
#include <ATen/core/Reduction.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "Guard.hpp"
#include "Loops.hpp"
#include "Products.hpp"
#include "QuickGELU.hpp"

using ct::get;
using ct::guard;
using ct::put;

namespace {

at::IntArrayRef list(const int64_t *values, int count) { return at::IntArrayRef(values, count); }

std::vector<at::Tensor> gather(const ct_tensor *xs, int count) {
  std::vector<at::Tensor> tensors;
  tensors.reserve(count);
  for (int i = 0; i < count; ++i) tensors.push_back(get(xs[i]));
  return tensors;
}

at::Tensor counted_matmul(const at::Tensor &a, const at::Tensor &b) {
  at::Tensor product = at::matmul(a, b);
  ct::count_multiplications(product.numel() * a.size(-1));
  return product;
}

const char *unary_names[] = {"negate", "exp", "log", "sqrt", "abs", "tanh", "sigmoid", "relu", "gelu", "quick_gelu",
                             "square"};
const char *binary_names[] = {"add", "subtract", "multiply", "divide", "matmul"};

}  // namespace

int ct_unary(ct_unary_op op, ct_tensor x, ct_tensor *out) {
  return guard(unary_names[op], {x}, [&] {
    const at::Tensor &v = get(x);
    switch (op) {
      case CT_NEGATE: return put(out, at::neg(v));
      case CT_EXP: return put(out, at::exp(v));
      case CT_LOG: return put(out, at::log(v));
      case CT_SQRT: return put(out, at::sqrt(v));
      case CT_ABS: return put(out, at::abs(v));
      case CT_TANH: return put(out, at::tanh(v));
      case CT_SIGMOID: return put(out, at::sigmoid(v));
      case CT_RELU: return put(out, at::relu(v));
      case CT_GELU: return put(out, at::gelu(v));
      case CT_QUICK_GELU: return put(out, ct::quick_gelu(v));
      case CT_SQUARE: return put(out, at::square(v));
    }
  });
}

int ct_binary(ct_binary_op op, ct_tensor a, ct_tensor b, ct_tensor *out) {
  return guard(binary_names[op], {a, b}, [&] {
    switch (op) {
      case CT_ADD: return put(out, at::add(get(a), get(b)));
      case CT_SUBTRACT: return put(out, at::sub(get(a), get(b)));
      case CT_MULTIPLY: return put(out, at::mul(get(a), get(b)));
      case CT_DIVIDE: return put(out, at::div(get(a), get(b)));
      case CT_MATMUL: return put(out, counted_matmul(get(a), get(b)));
    }
  });
}

int ct_affine(ct_tensor x, double scale, double shift, ct_tensor *out) {
  return guard("affine", {x}, [&] {
    at::Tensor y = scale == 1 ? get(x) : at::mul(get(x), scale);
    put(out, shift == 0 ? y : at::add(y, shift));
  });
}

int ct_sum(ct_tensor x, const int64_t *dims, int count, bool keep, ct_tensor *out) {
  return guard("sum", {x}, [&] { put(out, at::sum(get(x), list(dims, count), keep)); });
}

int ct_mean(ct_tensor x, const int64_t *dims, int count, bool keep, ct_tensor *out) {
  return guard("mean", {x}, [&] { put(out, at::mean(get(x), list(dims, count), keep)); });
}

int ct_argmax(ct_tensor x, int64_t dim, ct_tensor *out) {
  return guard("argmax", {x}, [&] { put(out, at::argmax(get(x), dim)); });
}

int ct_softmax(ct_tensor x, int64_t dim, ct_tensor *out) {
  return guard("softmax", {x}, [&] { put(out, at::softmax(get(x), dim)); });
}

int ct_log_softmax(ct_tensor x, int64_t dim, ct_tensor *out) {
  return guard("log_softmax", {x}, [&] { put(out, at::log_softmax(get(x), dim)); });
}

int ct_normalize(ct_tensor x, int64_t dim, ct_tensor *out) {
  return guard("normalize", {x}, [&] { put(out, get(x) / at::norm(get(x), 2, {dim}, true)); });
}

int ct_reshape(ct_tensor x, const int64_t *shape, int rank, ct_tensor *out) {
  return guard("reshape", {x}, [&] { put(out, at::reshape(get(x), list(shape, rank))); });
}

int ct_permute(ct_tensor x, const int64_t *dims, int count, ct_tensor *out) {
  return guard("permute", {x}, [&] { put(out, at::permute(get(x), list(dims, count))); });
}

int ct_transpose(ct_tensor x, int64_t a, int64_t b, ct_tensor *out) {
  return guard("transpose", {x}, [&] { put(out, at::transpose(get(x), a, b)); });
}

int ct_expand(ct_tensor x, const int64_t *shape, int rank, ct_tensor *out) {
  return guard("expand", {x}, [&] { put(out, get(x).expand(list(shape, rank))); });
}

int ct_narrow(ct_tensor x, int64_t dim, int64_t start, int64_t length, ct_tensor *out) {
  return guard("narrow", {x}, [&] { put(out, at::narrow(get(x), dim, start, length)); });
}

int ct_index_select(ct_tensor x, int64_t dim, ct_tensor index, ct_tensor *out) {
  return guard("index_select", {x, index}, [&] { put(out, at::index_select(get(x), dim, get(index))); });
}

int ct_cat(const ct_tensor *xs, int count, int64_t dim, ct_tensor *out) {
  return guard("concatenate", {count > 0 ? xs[0] : nullptr, count > 1 ? xs[1] : nullptr},
               [&] { put(out, at::cat(gather(xs, count), dim)); });
}

int ct_stack(const ct_tensor *xs, int count, int64_t dim, ct_tensor *out) {
  return guard("stack", {count > 0 ? xs[0] : nullptr, count > 1 ? xs[1] : nullptr},
               [&] { put(out, at::stack(gather(xs, count), dim)); });
}

int ct_linear(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_products products, ct_tensor *out) {
  return guard("linear", {x, weight, bias}, [&] {
    put(out, ct::linear(get(x), get(weight), bias ? std::optional<at::Tensor>(get(bias)) : std::nullopt, products));
  });
}

int ct_layer_norm(ct_tensor x, ct_tensor weight, ct_tensor bias, double eps, ct_tensor *out) {
  return guard("layer_norm", {x, weight, bias}, [&] {
    put(out, at::layer_norm(get(x), {get(x).size(-1)}, get(weight), get(bias), eps));
  });
}

int ct_conv2d(ct_tensor x, ct_tensor weight, ct_tensor bias, int64_t stride, int64_t padding, ct_tensor *out) {
  return guard("conv2d", {x, weight, bias}, [&] {
    at::Tensor y = at::conv2d(get(x), get(weight), bias ? std::optional<at::Tensor>(get(bias)) : std::nullopt,
                              {stride, stride}, {padding, padding});
    ct::count_multiplications(y.numel() * (get(weight).numel() / std::max<int64_t>(1, get(weight).size(0))));
    put(out, std::move(y));
  });
}

int ct_windows(ct_tensor x, int64_t kernel, int64_t stride, int64_t padding, ct_tensor *out) {
  return guard("windows", {x}, [&] {
    put(out, at::im2col(get(x), {kernel, kernel}, {1, 1}, {padding, padding}, {stride, stride}).transpose(1, 2));
  });
}

int ct_max_pool2d(ct_tensor x, int64_t kernel, int64_t stride, int64_t padding, ct_tensor *out) {
  return guard("max_pool2d", {x}, [&] {
    put(out, at::max_pool2d(get(x), {kernel, kernel}, {stride, stride}, {padding, padding}));
  });
}

int ct_attention(ct_tensor q, ct_tensor k, ct_tensor v, ct_tensor mask, bool causal, ct_tensor *out) {
  return guard("attention", {q, k, v, mask}, [&] {
    TORCH_CHECK(!causal || (get(q).dim() >= 2 && get(k).dim() >= 2 && get(q).size(-2) == get(k).size(-2)),
                "causal attention needs as many queries as keys");
    ct::count_multiplications(2 * get(q).numel() * get(k).size(-2));
    put(out, at::scaled_dot_product_attention(
               get(q), get(k), get(v), mask ? std::optional<at::Tensor>(get(mask)) : std::nullopt, 0.0, causal));
  });
}

int ct_cross_entropy(ct_tensor logits, ct_tensor labels, ct_tensor *out) {
  return guard("cross_entropy", {logits, labels}, [&] {
    TORCH_CHECK(get(logits).dim() == 2 && get(labels).dim() == 1 && get(labels).scalar_type() == at::kLong,
                "expected logits [rows, classes] and labels [rows] of 64-bit integers");
    // libtorch passes over labels of -100 in silence; no label is to be passed over here.
    constexpr int64_t ignored = std::numeric_limits<int64_t>::min();
    put(out, at::cross_entropy_loss(get(logits), get(labels), {}, at::Reduction::Mean, ignored));
  });
}
