// SPDX-License-Identifier: MIT
// A language model of characters: an LSTM learns to go on with a text, and then writes one of its own, character by
// character, in a session that keeps the state between runs. Copy what you need.
//
//   character_model TEXT [STEPS]     learns from that file

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include <teff/teff.h>

using namespace teff;

constexpr std::int64_t kCharacters = 128;  // of ASCII; others count as '?'
constexpr std::int64_t kHidden = 128, kWindow = 64, kBatch = 32;

/// Characters [T, N] -> scores of what follows each [T, N, 128], and the state after the last.
struct CharacterModel : nn::Module {
  nn::Embedding embedding{kCharacters, 32};
  nn::LSTM lstm{32, kHidden};
  nn::Linear fc{kHidden, kCharacters};
  TEFF_MODULE(CharacterModel, embedding, lstm, fc)

  Tensor forward(const Tensor& characters) override { return fc(lstm(embedding(characters)).output); }

  /// With a state, {characters, h, c} -> {scores, h, c}: for a session.
  std::vector<Tensor> forward_many(std::span<const Tensor> inputs) override {
    if (inputs.size() == 1) return {forward(inputs[0])};
    const auto [output, state] = lstm(embedding(inputs[0]), {inputs[1], inputs[2]});
    return {fc(output), state.h, state.c};
  }
};

std::vector<std::int64_t> read_characters(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw IoError("character_model: expected a text, got none at " + path);
  std::vector<std::int64_t> characters;
  for (auto i = std::istreambuf_iterator<char>(file); i != std::istreambuf_iterator<char>(); ++i) {
    const auto c = static_cast<unsigned char>(*i);
    characters.push_back(c < kCharacters ? c : '?');
  }
  if (characters.size() <= kWindow + 1) throw Error("character_model: expected a longer text in " + path);
  return characters;
}

/// Windows of the text at random places, and what follows each of their characters: both [kWindow, kBatch].
std::pair<Tensor, Tensor> draw_batch(const std::vector<std::int64_t>& text) {
  const Shape shape{kWindow, kBatch};
  Tensor inputs = empty(shape, {.dtype = DType::int64}), targets = empty(shape, {.dtype = DType::int64});
  const Tensor begins = randint(0, static_cast<std::int64_t>(text.size()) - kWindow, {kBatch});
  for (std::int64_t column = 0; column < kBatch; ++column) {
    const auto* from = text.data() + begins.data<std::int64_t>()[column];
    for (std::int64_t row = 0; row < kWindow; ++row) {
      inputs.data<std::int64_t>()[row * kBatch + column] = from[row];
      targets.data<std::int64_t>()[row * kBatch + column] = from[row + 1];
    }
  }
  return {inputs, targets};
}

void train(CharacterModel& model, const std::vector<std::int64_t>& text, int steps) {
  optim::Adam optimizer(model.named_parameters(), {.lr = 0.01});
  optim::CosineAnnealingLR schedule(optimizer, {.T_max = steps});
  double mean = 0;
  for (int step = 1; step <= steps; ++step) {
    const auto [inputs, targets] = draw_batch(text);
    optimizer.zero_grad();
    const Tensor loss = cross_entropy(model(inputs).view({-1, kCharacters}), targets.view({-1}));
    loss.backward();
    nn::clip_grad_norm_(model.parameters(), 1);
    optimizer.step();
    schedule.step();
    mean += loss.item<float>();
    if (step % 50 == 0 || step == steps) {
      const int count = step % 50 == 0 ? 50 : step % 50;
      std::cout << "step " << step << ": " << mean / count / std::log(2.0) << " bits a character" << std::endl;
      mean = 0;
    }
  }
}

/// A character by its probability, sharpened.
std::int64_t draw(const Tensor& scores) {
  const Tensor p = softmax(scores.view({kCharacters}) / 0.7, 0);
  double left = rand({1}).item<float>();
  for (std::int64_t c = 0; c + 1 < kCharacters; ++c) {
    left -= p.data<float>()[c];
    if (left < 0) return c;
  }
  return kCharacters - 1;
}

std::string write(const nn::GraphModule& model, const std::string& beginning, int count) {
  nn::InferenceSession session(model, {{1, 1}, {1, 1, kHidden}, {1, 1, kHidden}},
                               {.states = {{"h", "h_n"}, {"c", "c_n"}}});
  std::string text = beginning;
  for (std::size_t i = 0; i + 1 < text.size(); ++i) session.run({tensor<std::int64_t>({text[i]}).view({1, 1})});
  for (int i = 0; i < count; ++i) {
    text += static_cast<char>(draw(session.run({tensor<std::int64_t>({text.back()}).view({1, 1})})[0]));
  }
  return text;
}

void run(const std::string& path, int steps) {
  manual_seed(0);
  const std::vector<std::int64_t> text = read_characters(path);
  CharacterModel model;
  std::cout << model << '\n';
  train(model, text, steps);
  model.eval();

  // With the state among inputs and outputs, the model goes on where it stopped; the session carries the state.
  const Tensor state = zeros({1, 2, kHidden});
  nn::GraphModule captured = nn::capture(model, {zeros({2, 2}, {.dtype = DType::int64}), state, state});
  captured.rename_ports(std::vector<std::string>{"characters", "h", "c"},
                        std::vector<std::string>{"scores", "h_n", "c_n"});
  std::cout << write(captured, "The ", 400) << '\n';
}

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: character_model TEXT [STEPS]\n";
    return EXIT_FAILURE;
  }
  try {
    run(argv[1], argc > 2 ? std::stoi(argv[2]) : 300);
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
