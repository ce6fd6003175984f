// libtorch's SGD and AdamW, with their state laid open so that a run can be continued exactly.
#include <ATen/ATen.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

#include <memory>

#include "Guard.hpp"

using ct::get;
using ct::guard;
using ct::put;

struct ct_optimizer_s {
  std::unique_ptr<torch::optim::Optimizer> value;
  bool adamw;

  std::vector<at::Tensor> &parameters() { return value->param_groups()[0].params(); }
};

namespace {

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
    auto options = torch::optim::SGDOptions(rate).momentum(momentum).weight_decay(weight_decay).nesterov(nesterov);
    *out = new ct_optimizer_s{std::make_unique<torch::optim::SGD>(leaves(parameters, count), options), false};
  });
}

int ct_adamw(
  const ct_tensor *parameters, int count, double rate, double beta1, double beta2, double eps, double weight_decay,
  ct_optimizer *out) {
  return guard("adamw", {}, [&] {
    auto options =
      torch::optim::AdamWOptions(rate).betas(std::make_tuple(beta1, beta2)).eps(eps).weight_decay(weight_decay);
    *out = new ct_optimizer_s{std::make_unique<torch::optim::AdamW>(leaves(parameters, count), options), true};
  });
}

void ct_optimizer_free(ct_optimizer optimizer) { delete optimizer; }

int ct_optimizer_set_rate(ct_optimizer optimizer, double rate) {
  return guard("set_rate", {}, [&] {
    for (auto &group : optimizer->value->param_groups()) group.options().set_lr(rate);
  });
}

int ct_optimizer_step(ct_optimizer optimizer, const ct_tensor *gradients, int count) {
  return guard("optimizer_step", {}, [&] {
    auto &parameters = optimizer->parameters();
    TORCH_CHECK(static_cast<size_t>(count) == parameters.size(), "expected ", parameters.size(), " gradients");
    // A gradient of another shape would be broadcast in silence.
    for (int i = 0; i < count; ++i)
      TORCH_CHECK(
        get(gradients[i]).sizes() == parameters[i].sizes() &&
          get(gradients[i]).scalar_type() == parameters[i].scalar_type(),
        "expected a gradient of shape ", parameters[i].sizes(), ' ', parameters[i].scalar_type(), ", found ",
        get(gradients[i]).sizes(), ' ', get(gradients[i]).scalar_type());
    for (int i = 0; i < count; ++i) parameters[i].mutable_grad() = get(gradients[i]);
    optimizer->value->step();
    for (auto &parameter : parameters) parameter.mutable_grad() = at::Tensor();
  });
}

int ct_optimizer_state(ct_optimizer optimizer, int index, ct_tensor *first, ct_tensor *second, int64_t *steps) {
  return guard("optimizer_state", {}, [&] {
    *first = *second = nullptr;
    *steps = 0;
    auto &state = optimizer->value->state();
    auto found = state.find(optimizer->parameters().at(index).unsafeGetTensorImpl());
    if (found == state.end()) return;
    if (optimizer->adamw) {
      auto &own = static_cast<torch::optim::AdamWParamState &>(*found->second);
      put(first, own.exp_avg().clone());
      put(second, own.exp_avg_sq().clone());
      *steps = own.step();
    } else {
      auto &own = static_cast<torch::optim::SGDParamState &>(*found->second);
      if (own.momentum_buffer().defined()) put(first, own.momentum_buffer().clone());
    }
  });
}

int ct_optimizer_restore(ct_optimizer optimizer, int index, ct_tensor first, ct_tensor second, int64_t steps) {
  return guard("optimizer_restore", {first, second}, [&] {
    auto &parameter = optimizer->parameters().at(index);
    for (ct_tensor x : {first, second})
      TORCH_CHECK(
        x == nullptr || (get(x).sizes() == parameter.sizes() && get(x).scalar_type() == parameter.scalar_type()),
        "the state does not fit the parameter of shape ", parameter.sizes(), ' ', parameter.scalar_type());
    auto &state = optimizer->value->state();
    if (first == nullptr && second == nullptr) {
      state.erase(parameter.unsafeGetTensorImpl());
    } else if (optimizer->adamw) {
      TORCH_CHECK(first && second && steps > 0, "AdamW needs both moments and a step count above zero");
      auto own = std::make_unique<torch::optim::AdamWParamState>();
      own->exp_avg(get(first).clone());
      own->exp_avg_sq(get(second).clone());
      own->step(steps);
      state[parameter.unsafeGetTensorImpl()] = std::move(own);
    } else {
      TORCH_CHECK(first && !second, "SGD has one momentum and no second moment");
      auto own = std::make_unique<torch::optim::SGDParamState>();
      own->momentum_buffer(get(first).clone());
      state[parameter.unsafeGetTensorImpl()] = std::move(own);
    }
  });
}
