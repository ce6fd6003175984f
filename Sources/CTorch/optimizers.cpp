// SGD in one pass over its parameters, and libtorch's AdamW; with their state laid open so that a run can be continued exactly.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/optim/adamw.h>

#include <memory>

#include "Guard.hpp"

using ct::get;
using ct::guard;
using ct::put;

struct ct_optimizer_s {
  std::vector<at::Tensor> parameters;
  std::unique_ptr<torch::optim::AdamW> adamw;  // null for SGD
  double rate, momentum = 0, weight_decay = 0;
  bool nesterov = false;
  std::vector<at::Tensor> momenta;  // of SGD; undefined before a parameter's first step

  // g += weight_decay · p;  m = momentum · m + g, at first m = g;  p -= rate · (nesterov ? g + momentum · m : m)
  void descend(const std::vector<at::Tensor> &gradients) {
    const at::NoGradGuard none;
    const std::vector<at::Tensor> before = momenta;
    for (const bool first : {true, false}) {
      // Taken over after the step: where that fails a new momentum holds anything.
      std::vector<at::Tensor> own, with, memory, after = momenta;
      for (size_t i = 0; i < parameters.size(); ++i) {
        if (before[i].defined() == first) continue;
        if (first && momentum != 0) after[i] = at::empty_like(parameters[i]);
        own.push_back(parameters[i]);
        with.push_back(gradients[i]);
        if (momentum != 0) memory.push_back(after[i]);
      }
      if (own.empty()) continue;
      at::_fused_sgd_(own, with, memory, weight_decay, momentum, rate, /*dampening=*/0, nesterov, /*maximize=*/false, first);
      momenta = std::move(after);
    }
  }
};

namespace {

// Takes gradients out of parameters again, however the step ends.
struct GradientsOut {
  std::vector<at::Tensor> &parameters;

  ~GradientsOut() {
    for (auto &parameter : parameters) parameter.mutable_grad() = at::Tensor();
  }
};

std::vector<at::Tensor> leaves(const ct_tensor *parameters, int count) {
  std::vector<at::Tensor> list;
  for (int i = 0; i < count; ++i) list.push_back(get(parameters[i]));
  return list;
}

}  // namespace

int ct_sgd(
  const ct_tensor *parameters, int count, double rate, double momentum, double weight_decay, bool nesterov,
  ct_optimizer *out) {
  return guard("sgd", {}, [&] {
    // What libtorch's own refuses too.
    TORCH_CHECK(rate >= 0 && momentum >= 0 && weight_decay >= 0, "expected a rate, a momentum and a weight decay of zero or more");
    TORCH_CHECK(!nesterov || momentum > 0, "Nesterov's step needs a momentum");
    auto made = std::make_unique<ct_optimizer_s>();
    made->parameters = leaves(parameters, count);
    for (const at::Tensor &parameter : made->parameters) TORCH_CHECK(parameter.is_leaf(), "a result of an op cannot be trained");
    made->momenta.resize(count);
    made->rate = rate;
    made->momentum = momentum;
    made->weight_decay = weight_decay;
    made->nesterov = nesterov;
    *out = made.release();
  });
}

int ct_adamw(
  const ct_tensor *parameters, int count, double rate, double beta1, double beta2, double eps, double weight_decay,
  ct_optimizer *out) {
  return guard("adamw", {}, [&] {
    auto options =
      torch::optim::AdamWOptions(rate).betas(std::make_tuple(beta1, beta2)).eps(eps).weight_decay(weight_decay);
    auto made = std::make_unique<ct_optimizer_s>();
    made->parameters = leaves(parameters, count);
    made->adamw = std::make_unique<torch::optim::AdamW>(made->parameters, options);
    *out = made.release();
  });
}

void ct_optimizer_free(ct_optimizer optimizer) { delete optimizer; }

int ct_optimizer_set_rate(ct_optimizer optimizer, double rate) {
  return guard("set_rate", {}, [&] {
    optimizer->rate = rate;
    if (!optimizer->adamw) return;
    for (auto &group : optimizer->adamw->param_groups()) group.options().set_lr(rate);
  });
}

int ct_optimizer_step(ct_optimizer optimizer, const ct_tensor *gradients, int count) {
  return guard("optimizer_step", {}, [&] {
    auto &parameters = optimizer->parameters;
    TORCH_CHECK(static_cast<size_t>(count) == parameters.size(), "expected ", parameters.size(), " gradients");
    // A gradient of another shape would be broadcast in silence.
    for (int i = 0; i < count; ++i)
      TORCH_CHECK(
        get(gradients[i]).sizes() == parameters[i].sizes() &&
          get(gradients[i]).scalar_type() == parameters[i].scalar_type(),
        "expected a gradient of shape ", parameters[i].sizes(), ' ', parameters[i].scalar_type(), ", found ",
        get(gradients[i]).sizes(), ' ', get(gradients[i]).scalar_type());
    if (!optimizer->adamw) {
      std::vector<at::Tensor> list;
      for (int i = 0; i < count; ++i) list.push_back(get(gradients[i]));
      optimizer->descend(list);
      return;
    }
    const GradientsOut out{parameters};
    for (int i = 0; i < count; ++i) parameters[i].mutable_grad() = get(gradients[i]);
    optimizer->adamw->step();
  });
}

int ct_optimizer_state(ct_optimizer optimizer, int index, ct_tensor *first, ct_tensor *second, int64_t *steps) {
  return guard("optimizer_state", {}, [&] {
    *first = *second = nullptr;
    *steps = 0;
    const at::Tensor &parameter = optimizer->parameters.at(index);
    if (!optimizer->adamw) {
      if (const at::Tensor &own = optimizer->momenta.at(index); own.defined()) put(first, own.clone());
      return;
    }
    auto &state = optimizer->adamw->state();
    const auto found = state.find(parameter.unsafeGetTensorImpl());
    if (found == state.end()) return;
    auto &own = static_cast<torch::optim::AdamWParamState &>(*found->second);
    put(first, own.exp_avg().clone());
    put(second, own.exp_avg_sq().clone());
    *steps = own.step();
  });
}

int ct_optimizer_restore(ct_optimizer optimizer, int index, ct_tensor first, ct_tensor second, int64_t steps) {
  return guard("optimizer_restore", {first, second}, [&] {
    auto &parameter = optimizer->parameters.at(index);
    for (ct_tensor x : {first, second})
      TORCH_CHECK(
        x == nullptr || (get(x).sizes() == parameter.sizes() && get(x).scalar_type() == parameter.scalar_type()),
        "the state does not fit the parameter of shape ", parameter.sizes(), ' ', parameter.scalar_type());
    if (!optimizer->adamw) {
      TORCH_CHECK(!second, "SGD has one momentum and no second moment");
      optimizer->momenta.at(index) = first ? get(first).clone() : at::Tensor();
      return;
    }
    auto &state = optimizer->adamw->state();
    if (first == nullptr && second == nullptr) {
      state.erase(parameter.unsafeGetTensorImpl());
      return;
    }
    TORCH_CHECK(first && second && steps > 0, "AdamW needs both moments and a step count above zero");
    auto own = std::make_unique<torch::optim::AdamWParamState>();
    own->exp_avg(get(first).clone());
    own->exp_avg_sq(get(second).clone());
    own->step(steps);
    state[parameter.unsafeGetTensorImpl()] = std::move(own);
  });
}
