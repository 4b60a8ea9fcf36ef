// SPDX-License-Identifier: MIT
// Two ways of averaging: gradients over several small batches, for a batch that does not fit into memory, and weights
// over the steps, for a model that is better than the last step's. Copy what you need.

#include <cstdlib>
#include <iostream>

#include <teff/engine/testing.h>
#include <teff/teff.h>

using namespace teff;

struct Regressor : nn::Module {
  nn::Linear fc1{4, 16};
  nn::Linear fc2{16, 1};
  TEFF_MODULE(Regressor, fc1, fc2)

  Tensor forward(const Tensor& x) override { return fc2(fc1(x).tanh()); }
};

/// An exponential moving average of a model's weights: average = decay * average + (1 - decay) * weights.
class AverageModel {
 public:
  AverageModel(const Regressor& model, double decay) : average(model.clone()), decay_(decay) {
    average.requires_grad_(false);
    average.eval();
  }

  /// After each step of the optimiser.
  void update(const Regressor& model) {
    const NoGradGuard no_grad;
    const std::vector<Tensor> to = average.parameters(), from = model.parameters();
    for (std::size_t i = 0; i < to.size(); ++i) {
      to[i].mul_(decay_);
      to[i].add_(from[i].detach(), 1 - decay_);
    }
  }

  Regressor average;

 private:
  double decay_;
};

/// The gradients of the whole batch, by parts: each part's mean counts by its share. Gradients add up until zero_grad.
void backward_in_parts(Regressor& model, const Tensor& x, const Tensor& y, std::int64_t parts) {
  const std::int64_t rows = x.size(0) / parts;
  for (std::int64_t part = 0; part < parts; ++part) {
    const Tensor px = x.slice(0, part * rows, (part + 1) * rows), py = y.slice(0, part * rows, (part + 1) * rows);
    (mse_loss(model(px), py) / static_cast<double>(parts)).backward();
  }
}

void show_accumulation(const Tensor& x, const Tensor& y) {
  Regressor whole;
  Regressor in_parts = whole.clone();
  mse_loss(whole(x), y).backward();
  backward_in_parts(in_parts, x, y, 4);
  for (std::size_t i = 0; i < whole.parameters().size(); ++i) {
    assert_close(in_parts.parameters()[i].grad(), whole.parameters()[i].grad(), {.rtol = 1e-5, .atol = 1e-6});
  }
  std::cout << "4 batches of " << x.size(0) / 4 << " give the gradients of one of " << x.size(0) << '\n';
}

void run() {
  manual_seed(0);
  const Tensor x = randn({256, 4}), clean = x.sum({1}, true).tanh();
  show_accumulation(x, clean);

  Regressor model;
  optim::Adam optimizer(model.named_parameters(), {.lr = 0.03});
  AverageModel average(model, 0.98);
  for (int step = 0; step < 400; ++step) {
    const Tensor noisy = clean + randn({256, 1}) * 2;
    optimizer.zero_grad();
    backward_in_parts(model, x, noisy, 4);
    optimizer.step();
    average.update(model);
  }
  const NoGradGuard no_grad;
  std::cout << "error of the last weights " << mse_loss(model(x), clean).item<float>() << ", of the averaged ones "
            << mse_loss(average.average(x), clean).item<float>() << '\n';

  // The average is part of a checkpoint like the model itself.
  TrainingState state;
  state.add("model", model).add("average", average.average).add("optimizer", optimizer);
  save(state.state_dict(), "averaging.teff");
  state.load_state_dict(load("averaging.teff"));
}

int main() {
  try {
    run();
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
