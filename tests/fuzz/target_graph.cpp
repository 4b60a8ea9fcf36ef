// SPDX-License-Identifier: MIT
#include "fuzz/checks.h"
#include "fuzz/random_model.h"
#include "teff/engine/allocator.h"
#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/engine/random.h"
#include "teff/nn/graph/inference_session.h"
#include "teff/serialize/save_load.h"

namespace teff::fuzz {
namespace {

constexpr double kMaxWork = 1e7, kMaxBytes = 1 << 22;
constexpr std::size_t kMaxPeak = std::size_t{64} << 20;  // of all memory that is taken to run such a model

/// What cannot be computed is an Error; anything else ends the program.
template <class Function>
void attempt(Function&& function) {
  try {
    function();
  } catch (const Error& error) {
    expect(error.what()[0] != '\0', "an error says something");
  }
}

std::vector<Tensor> more_rows(const std::vector<Tensor>& inputs, double times) {
  std::vector<Tensor> result;
  for (const Tensor& input : inputs) {
    Shape shape = input.shape();
    if (!shape.empty()) shape[0] = static_cast<std::int64_t>(static_cast<double>(shape[0]) * times);
    result.push_back(zeros(shape, {.dtype = input.dtype()}));
  }
  return result;
}

void evaluate(const nn::GraphModule& model, const std::vector<Tensor>& inputs) {
  const NoGradGuard no_grad;
  nn::GraphModule evaluated = model;
  evaluated.eval();
  attempt([&] {
    const std::vector<Tensor> first = evaluated.forward_many(inputs), second = evaluated.forward_many(inputs);
    for (std::size_t i = 0; i < first.size(); ++i) {
      expect(Value(first[i]) == Value(second[i]), "a model in evaluation gives the same result again");
    }
  });
  attempt([&] {
    std::vector<Shape> shapes;
    for (const Tensor& input : inputs) shapes.push_back(input.shape());
    nn::InferenceSession session(evaluated, shapes);
    static_cast<void>(session.run(inputs));
    static_cast<void>(session.run(inputs));
  });
}

void train(nn::GraphModule model, const std::vector<Tensor>& inputs) {
  model.train();
  const Dict before{{"inputs", List(inputs.begin(), inputs.end())}};
  std::vector<Tensor> copies;
  for (const Tensor& input : inputs) copies.push_back(input.clone());
  attempt([&] {
    for (const Tensor& output : model.forward_many(inputs)) {
      if (output.requires_grad()) output.sum().backward();
    }
  });
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    expect(Value(inputs[i]) == Value(copies[i]), "a training step leaves its inputs as they are");
  }
}

}  // namespace

/// A model of extreme options is saved, loaded, run, run in a session and trained: or refused by an Error. None of it
/// takes more memory than its limit and its scratch explain.
void run_graph(std::span<const std::byte> bytes) {
  manual_seed(1);
  const RandomModel random = make_random_model(bytes);
  const std::string file = save_graph(random.data, random.inputs);
  empty_cache();
  reset_peak_memory_stats();
  try {
    const nn::GraphModule model =
        load_model(std::as_bytes(std::span(file)), {.max_work = kMaxWork, .max_bytes = kMaxBytes});
    expect(save_graph(model.data(), random.inputs) == file, "a model that was loaded is saved to the same bytes");
    evaluate(model, random.inputs);
    evaluate(model, more_rows(random.inputs, 0));
    evaluate(model, more_rows(random.inputs, 2));
    train(model, random.inputs);
  } catch (const ResourceError& error) {
    expect_refusal(error.what());
  }
  expect(memory_stats().peak_bytes_in_use < kMaxPeak, "scratch memory follows the data");
}

}  // namespace teff::fuzz
