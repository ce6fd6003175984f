// Reverse-mode differentiation, and quick-GELU, whose derivative is written by hand.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include "Guard.hpp"
#include "QuickGELU.hpp"

using ct::get;
using ct::guard;
using ct::put;

namespace {

constexpr double quick_gelu_scale = 1.702;

struct QuickGELU : torch::autograd::Function<QuickGELU> {
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &x) {
    at::Tensor scaled = at::mul(x, quick_gelu_scale);
    context->save_for_backward({scaled});
    return at::silu(scaled).div_(quick_gelu_scale);
  }

  static torch::autograd::variable_list backward(
    torch::autograd::AutogradContext *context, const torch::autograd::variable_list &cotangents) {
    return {at::silu_backward(cotangents[0], context->get_saved_variables()[0])};
  }
};

}  // namespace

namespace ct {

at::Tensor quick_gelu(const at::Tensor &x) {
  if (!at::GradMode::is_enabled() || !x.requires_grad()) {
    at::Tensor y = at::mul(x, quick_gelu_scale);
    return at::silu_(y).div_(quick_gelu_scale);
  }
  return QuickGELU::apply(x);
}

}  // namespace ct

int ct_detach(ct_tensor x, ct_tensor *out) {
  return guard("detach", {x}, [&] { put(out, get(x).detach()); });
}

int ct_set_requires_gradient(ct_tensor x, bool value) {
  return guard("set_requires_gradient", {x}, [&] { x->value.set_requires_grad(value); });
}

bool ct_requires_gradient(ct_tensor x) { return get(x).requires_grad(); }

int ct_gradients(
  const ct_tensor *outputs, const ct_tensor *cotangents, int output_count, const ct_tensor *inputs, int input_count,
  bool retain_graph, bool allow_unused, ct_tensor *out) {
  return guard("gradients", {output_count > 0 ? outputs[0] : nullptr}, [&] {
    torch::autograd::variable_list ys, gs, xs;
    for (int i = 0; i < output_count; ++i) {
      ys.push_back(get(outputs[i]));
      gs.push_back(cotangents && cotangents[i] ? get(cotangents[i]) : at::ones_like(ys.back()));
      // libtorch would sum a larger cotangent down to the output's shape.
      TORCH_CHECK(gs.back().sizes() == ys.back().sizes() && gs.back().scalar_type() == ys.back().scalar_type(),
                  "expected a cotangent of shape ", ys.back().sizes(), ' ', ys.back().scalar_type(), ", found ",
                  gs.back().sizes(), ' ', gs.back().scalar_type());
    }
    for (int i = 0; i < input_count; ++i) xs.push_back(get(inputs[i]));
    auto gradients = torch::autograd::grad(ys, xs, gs, retain_graph, /*create_graph=*/false, allow_unused);
    for (int i = 0; i < input_count; ++i) {
      if (gradients[i].defined())
        put(&out[i], gradients[i]);
      else
        out[i] = nullptr;
    }
  });
}
