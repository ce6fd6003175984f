// The C ABI over libtorch: tensors as opaque handles, ops as functions, every C++ exception as a code and a message.
//
// Each function returns 0, or 1 where it failed; `ct_last_error` then says why (of this thread's last failure).
// A tensor that a function hands out belongs to the caller, who gives it back with `ct_free`.
#ifndef BANYAN_CTORCH_H
#define BANYAN_CTORCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ct_tensor_s *ct_tensor;
typedef struct ct_optimizer_s *ct_optimizer;
typedef struct ct_generator_s *ct_generator;
typedef struct ct_block_s *ct_block;

typedef enum { CT_FLOAT32, CT_FLOAT64, CT_FLOAT16, CT_BFLOAT16, CT_INT64, CT_INT32, CT_UINT8, CT_BOOL } ct_dtype;
typedef enum { CT_CPU, CT_CUDA, CT_MPS } ct_device;
// Who multiplies matrices in single precision on the processor: whichever is faster on it, libtorch's BLAS, or oneDNN. With
// it goes whose attention of pictures runs: libtorch's on its BLAS, or our own loops.
typedef enum { CT_PRODUCTS_AUTOMATIC, CT_PRODUCTS_BLAS, CT_PRODUCTS_ONEDNN } ct_products;

const char *ct_last_error(void);

// --- the engine ------------------------------------------------------------------------------------------------------
const char *ct_version(void);
bool ct_device_available(ct_device device);
int ct_set_threads(int threads);
int ct_threads(void);
// Sets whether ops of this thread record what a gradient needs; returns what was set before.
bool ct_set_gradient_recording(bool enabled);
// How many multiplications and additions matrix products and attention have had in this process, of all threads; not those of
// gradients that libtorch takes by itself, outside of blocks and of oneDNN's products.
int64_t ct_operations(void);
// How many tensors handed out have not been given back.
int64_t ct_live_tensors(void);
// Keeps freed memory for what is allocated next, from now on.
void ct_keep_memory(void);
// Returns freed memory to the system.
void ct_give_back_memory(void);

// --- creation and contents -------------------------------------------------------------------------------------------
int ct_from_bytes(const void *bytes, size_t count, ct_dtype dtype, const int64_t *shape, int rank, ct_tensor *out);
int ct_full(double value, ct_dtype dtype, const int64_t *shape, int rank, ct_device device, ct_tensor *out);
int ct_random_normal(ct_generator generator, const int64_t *shape, int rank, ct_dtype dtype, ct_tensor *out);
int ct_random_uniform(ct_generator generator, const int64_t *shape, int rank, ct_dtype dtype, ct_tensor *out);
int ct_copy_out(ct_tensor x, void *bytes, size_t count);
void ct_free(ct_tensor x);
int ct_rank(ct_tensor x);
void ct_shape(ct_tensor x, int64_t *out);
ct_dtype ct_dtype_of(ct_tensor x);
ct_device ct_device_of(ct_tensor x);
int ct_to(ct_tensor x, ct_dtype dtype, ct_device device, ct_tensor *out);
int ct_clone(ct_tensor x, ct_tensor *out);
int ct_copy_into(ct_tensor target, ct_tensor source);
int ct_bitwise_equal(ct_tensor a, ct_tensor b, bool *out);

int ct_generator_new(uint64_t seed, ct_generator *out);
void ct_generator_free(ct_generator generator);

// --- gradients -------------------------------------------------------------------------------------------------------
int ct_detach(ct_tensor x, ct_tensor *out);
int ct_set_requires_gradient(ct_tensor x, bool value);
bool ct_requires_gradient(ct_tensor x);
// The gradients of sum_k <outputs[k], cotangents[k]> with respect to `inputs`; a null entry of `cotangents` stands for
// ones. `out[i]` is null where input i does not matter and `allow_unused` is set.
int ct_gradients(
  const ct_tensor *outputs, const ct_tensor *cotangents, int output_count, const ct_tensor *inputs, int input_count,
  bool retain_graph, bool allow_unused, ct_tensor *out);

// --- ops -------------------------------------------------------------------------------------------------------------
typedef enum {
  CT_NEGATE, CT_EXP, CT_LOG, CT_SQRT, CT_ABS, CT_TANH, CT_SIGMOID, CT_RELU, CT_GELU, CT_QUICK_GELU, CT_SQUARE
} ct_unary_op;
typedef enum { CT_ADD, CT_SUBTRACT, CT_MULTIPLY, CT_DIVIDE, CT_MATMUL } ct_binary_op;

int ct_unary(ct_unary_op op, ct_tensor x, ct_tensor *out);
int ct_binary(ct_binary_op op, ct_tensor a, ct_tensor b, ct_tensor *out);
int ct_affine(ct_tensor x, double scale, double shift, ct_tensor *out);
int ct_sum(ct_tensor x, const int64_t *dims, int count, bool keep, ct_tensor *out);
int ct_mean(ct_tensor x, const int64_t *dims, int count, bool keep, ct_tensor *out);
int ct_argmax(ct_tensor x, int64_t dim, ct_tensor *out);
int ct_softmax(ct_tensor x, int64_t dim, ct_tensor *out);
int ct_log_softmax(ct_tensor x, int64_t dim, ct_tensor *out);
// x / |x|_2 along `dim`.
int ct_normalize(ct_tensor x, int64_t dim, ct_tensor *out);

int ct_reshape(ct_tensor x, const int64_t *shape, int rank, ct_tensor *out);
int ct_permute(ct_tensor x, const int64_t *dims, int count, ct_tensor *out);
int ct_transpose(ct_tensor x, int64_t a, int64_t b, ct_tensor *out);
int ct_expand(ct_tensor x, const int64_t *shape, int rank, ct_tensor *out);
int ct_narrow(ct_tensor x, int64_t dim, int64_t start, int64_t length, ct_tensor *out);
int ct_index_select(ct_tensor x, int64_t dim, ct_tensor index, ct_tensor *out);
int ct_cat(const ct_tensor *xs, int count, int64_t dim, ct_tensor *out);
int ct_stack(const ct_tensor *xs, int count, int64_t dim, ct_tensor *out);

int ct_linear(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_products products, ct_tensor *out);
int ct_layer_norm(ct_tensor x, ct_tensor weight, ct_tensor bias, double eps, ct_tensor *out);
int ct_conv2d(ct_tensor x, ct_tensor weight, ct_tensor bias, int64_t stride, int64_t padding, ct_tensor *out);
// The windows of `x` [batch, channels, height, width], one row each: [batch, places, channels * kernel * kernel].
int ct_windows(ct_tensor x, int64_t kernel, int64_t stride, int64_t padding, ct_tensor *out);
// The largest value in each window: [batch, channels, rows, columns].
int ct_max_pool2d(ct_tensor x, int64_t kernel, int64_t stride, int64_t padding, ct_tensor *out);
// softmax(q kT / sqrt(d) + mask) v; q, k, v: [..., tokens, d]. `mask` may be null.
int ct_attention(ct_tensor q, ct_tensor k, ct_tensor v, ct_tensor mask, bool causal, ct_tensor *out);
// The mean cross-entropy of `logits` [rows, classes] against `labels` [rows].
int ct_cross_entropy(ct_tensor logits, ct_tensor labels, ct_tensor *out);

// --- fused blocks ----------------------------------------------------------------------------------------------------
// A pre-norm transformer block as one op, with gradients for its inputs and for those weights that require them: norm1 weight and bias, query-key-value weight [3 width, width] and
// bias, output weight and bias, norm2 weight and bias, the MLP's first weight and bias, its second weight and bias.
// Products are computed in `precision`, which is fp32 where a weight is trained. Frozen weights must not change afterwards.
int ct_block_new(
  const ct_tensor *weights, int heads, double epsilon, bool quick_gelu, ct_dtype precision, ct_products products,
  ct_block *out);
void ct_block_free(ct_block block);
// The block over `x` [rows, tokens, width], whose tokens also see `prompts` [1, count, width] (null for none), which have no
// outputs themselves. Only the first `wanted` tokens have outputs: [rows, wanted, width].
int ct_block_apply(ct_block block, ct_tensor x, ct_tensor prompts, int64_t wanted, ct_tensor *out);

// The block over texts: `x` [prompts, tokens, width] holds, for each prompt, `prefix` tokens that all names share and then
// `groups` groups of names, `counts[i]` names of `lengths[i]` tokens each. A token sees the prefix (of the prefix what stands
// before it) and its own name's tokens up to itself. With `ends` only the last token of each name has an output.
// With `packed` frozen weights that gradients pass through stay as products want them, for calls with as many tokens.
int ct_block_apply_text(
  ct_block block, ct_tensor x, int64_t prefix, const int64_t *counts, const int64_t *lengths, int groups, bool ends,
  bool packed, ct_tensor *out);

// --- optimizers ------------------------------------------------------------------------------------------------------
int ct_sgd(
  const ct_tensor *parameters, int count, double rate, double momentum, double weight_decay, bool nesterov,
  ct_optimizer *out);
int ct_adamw(
  const ct_tensor *parameters, int count, double rate, double beta1, double beta2, double eps, double weight_decay,
  ct_optimizer *out);
void ct_optimizer_free(ct_optimizer optimizer);
int ct_optimizer_set_rate(ct_optimizer optimizer, double rate);
int ct_optimizer_step(ct_optimizer optimizer, const ct_tensor *gradients, int count);
// The state of parameter `index`: for SGD one tensor (momentum), for AdamW two (first and second moment) and a step
// count. Entries are null where there is no state yet.
int ct_optimizer_state(ct_optimizer optimizer, int index, ct_tensor *first, ct_tensor *second, int64_t *steps);
// Both null: forgets the state, as before the first step.
int ct_optimizer_restore(ct_optimizer optimizer, int index, ct_tensor first, ct_tensor second, int64_t steps);

#ifdef __cplusplus
}
#endif
#endif
