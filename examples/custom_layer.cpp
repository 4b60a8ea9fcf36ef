// SPDX-License-Identifier: MIT
// A layer of one's own: parameters, a buffer, and another behaviour in training than in evaluation. Copy the
// struct and change what it computes.

#include <cstdlib>
#include <iostream>
#include <string>

#include <teff/engine/testing.h>
#include <teff/teff.h>

using namespace teff;

/// Centres each feature of x [N, features]: y = (x - mean) * scale + shift. In training the mean is the
/// batch's, and running_mean follows it; in evaluation it is running_mean.
struct Centre : nn::Module {
  explicit Centre(std::int64_t features, double momentum = 0.1)
      : scale(ones({features})), shift(zeros({features})), running_mean(zeros({features})), momentum_(momentum) {}

  nn::Parameter scale;  // learned
  nn::Parameter shift;
  nn::Buffer running_mean;  // saved and loaded, not learned
  TEFF_MODULE(Centre, scale, shift, running_mean)

  Tensor forward(const Tensor& x) override {
    const Tensor mean = is_training() ? x.mean(0) : running_mean;
    if (is_training()) follow(mean.detach());
    return (x - mean) * scale + shift;
  }

  /// What print shows between the parentheses.
  std::string extra_repr() const override { return std::to_string(scale.size(0)); }

 private:
  /// running_mean = (1 - momentum) * running_mean + momentum * mean
  void follow(const Tensor& mean) {
    running_mean.mul_(1 - momentum_);
    running_mean.add_(mean, momentum_);
  }

  double momentum_;
};

struct Regressor : nn::Module {
  Centre centre{2};
  nn::Linear linear{2, 1};
  TEFF_MODULE(Regressor, centre, linear)

  Tensor forward(const Tensor& x) override { return linear(centre(x)); }
};

/// Learns y = 3 (x0 - mean of x0) - 2 (x1 - mean of x1) from points around (5, 5).
void train(Regressor& model) {
  const Tensor weights = tensor({3.F, -2.F}, {2, 1});
  optim::SGD optimizer(model.parameters(), {.lr = 0.05});
  for (int step = 0; step <= 100; ++step) {
    const Tensor x = randn({1024, 2}) + 5;
    const Tensor y = (x - x.mean(0)).matmul(weights);
    optimizer.zero_grad();
    const Tensor loss = mse_loss(model(x), y);
    loss.backward();
    optimizer.step();
    if (step % 25 == 0) std::cout << "step " << step << ": loss " << loss.item<float>() << '\n';
  }
}

void run() {
  manual_seed(0);
  Regressor model;
  std::cout << model << '\n';
  train(model);

  // The layer's parameters and buffer are in the state dict under their dotted names.
  for (const auto& [key, value] : model.state_dict()) std::cout << key << ": " << value.as_tensor() << '\n';
  save(model.state_dict(), "custom_layer.teff");
  Regressor loaded;
  std::cout << loaded.load_state_dict(load("custom_layer.teff")) << '\n';

  // Both in evaluation mode: they use running_mean, whatever the batch.
  model.eval();
  loaded.eval();
  const NoGradGuard no_grad;
  const Tensor x = tensor({5.F, 5.F, 6.F, 5.F, 5.F, 6.F}, {3, 2});
  assert_close(loaded(x), model(x), {.rtol = 0, .atol = 0});
  std::cout << "at (5, 5), (6, 5), (5, 6), close to 0, 3, -2: " << loaded(x) << '\n';
}

int main() {
  try {
    run();
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
