// SPDX-License-Identifier: MIT
// Training that stops and goes on as if it had not: the same losses and the same weights, bit for bit. In earnest the
// two halves are two runs of a program: it begins with resume(), which finds nothing the first time.

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <vector>

#include <teff/engine/testing.h>
#include <teff/teff.h>

using namespace teff;

constexpr std::int64_t kSteps = 60, kStopsAfter = 23;  // in the middle of an epoch

struct Classifier : nn::Module {
  nn::Linear fc1{8, 32};
  nn::Dropout dropout{0.2};
  nn::Linear fc2{32, 3};
  TEFF_MODULE(Classifier, fc1, dropout, fc2)

  Tensor forward(const Tensor& x) override { return fc2(dropout(relu(fc1(x)))); }
};

/// 200 points around three centres.
data::TensorDataset points() {
  Generator generator(1);
  const Tensor labels = randint(0, 3, {200}, generator);
  return data::TensorDataset(randn({200, 8}, generator) + labels.to(DType::float32).unsqueeze(1), labels);
}

/// Everything of the run, by name.
struct Run {
  Run() { state.add("model", model).add("optimizer", optimizer).add("scheduler", scheduler).add("loader", loader); }

  Classifier model;
  optim::AdamW optimizer{model.named_parameters(), {.lr = 0.01}};
  optim::LinearLR warm_up{optimizer, {.start_factor = 0.1, .total_iters = 10}};
  optim::CosineAnnealingLR decay{optimizer, {.T_max = kSteps - 10}};
  optim::SequentialLR scheduler{optimizer, {&warm_up, &decay}, {10}};
  data::TensorDataset dataset = points();
  data::DataLoader loader{dataset, {.batch_size = 16, .shuffle = true}};
  TrainingState state;
  std::vector<float> losses;

  void train(std::int64_t last_step, Checkpoints& checkpoints) {
    while (state.step < last_step) {
      for (const auto& [x, labels] : loader) {
        optimizer.zero_grad();
        const Tensor loss = cross_entropy(model(x), labels);
        loss.backward();
        nn::clip_grad_norm_(model.parameters(), 1);
        optimizer.step();
        scheduler.step();
        losses.push_back(loss.item<float>());
        ++state.step;
        // The metric decides which checkpoint is kept as the best.
        if (state.step % 5 == 0 || state.step == last_step) checkpoints.save(state, loss.item<float>());
        if (state.step == last_step) return;
      }
      ++state.epoch;
    }
  }
};

void run() {
  std::filesystem::remove_all("resume_example");
  Checkpoints uninterrupted("resume_example/uninterrupted"), interrupted("resume_example/interrupted");

  manual_seed(0);
  Run whole;
  whole.train(kSteps, uninterrupted);

  manual_seed(0);
  Run first;
  std::cout << interrupted.resume(first.state) << '\n';
  first.train(kStopsAfter, interrupted);

  manual_seed(99);  // another process begins anywhere
  Run second;
  std::cout << interrupted.resume(second.state) << '\n';
  std::cout << "in epoch " << second.state.epoch << ", after step " << second.state.step << ", with learning rate "
            << second.optimizer.lr() << '\n';
  second.train(kSteps, interrupted);

  std::vector<float> losses = first.losses;
  losses.insert(losses.end(), second.losses.begin(), second.losses.end());
  assert_close(tensor(losses), tensor(whole.losses), {.rtol = 0, .atol = 0});
  const std::size_t entries = whole.model.state_dict().size();
  for (const auto& [key, value] : whole.model.state_dict()) {
    assert_close(second.model.state_dict().at(key).as_tensor(), value.as_tensor(), {.rtol = 0, .atol = 0});
  }
  std::cout << losses.size() << " losses and " << entries << " parameters have the same bits; loss " << losses.front()
            << " -> " << losses.back() << '\n';
  for (const CheckpointInfo& file : interrupted.list()) {
    std::cout << file.path << ": loss " << *file.metric << (file.path == interrupted.best()->path ? ", the best" : "")
              << '\n';
  }
}

int main() {
  try {
    run();
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
