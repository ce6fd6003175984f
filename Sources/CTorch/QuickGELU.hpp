#pragma once

#include <ATen/core/Tensor.h>

namespace ct {

// x * sigmoid(1.702 x), written as swish(1.702 x) / 1.702 so that one fused kernel serves forward and one backward.
at::Tensor quick_gelu(const at::Tensor &x);

}  // namespace ct
