// SPDX-License-Identifier: MIT

// The program that test_torch.py talks to.
//   partner convert IN OUT       loads a dictionary and saves it, in the formats that the names say
//   partner modules IN           prints the whole modules that a file holds
//   partner start OUT            makes the recipe's Net from manual_seed(0) and a batch, and trains it for 3 steps
//   partner train IN OUT STEPS   goes on with what start wrote, or Python, and adds the losses
// What is refused goes to the standard output, with exit status 1.

#include <cstdio>
#include <iostream>
#include <string>

#include <teff/teff.h>

#include "examples/models/net.h"

namespace {

using namespace teff;

struct Training {
  Net net;
  optim::SGD optimizer{net.parameters(), {.lr = 0.01, .momentum = 0.9, .weight_decay = 1e-4}};
  Tensor images, labels;
  std::vector<double> losses;

  void step() {
    optimizer.zero_grad();
    const Tensor loss = cross_entropy(net(images), labels);
    loss.backward();
    optimizer.step();
    losses.push_back(loss.item<double>());
  }

  void save(const std::string& path) const {
    teff::save({{"images", images},
                {"labels", labels},
                {"model_state_dict", net.state_dict()},
                {"optimizer_state_dict", optimizer.state_dict()},
                {"losses", List(losses.begin(), losses.end())}},
               path);
  }
};

void start(const std::string& path) {
  manual_seed(0);
  Training training;
  training.images = randn({4, 3, 32, 32});
  training.labels = tensor<std::int64_t>({3, 1, 4, 1});
  for (int i = 0; i < 3; ++i) training.step();
  training.save(path);
}

void train(const std::string& from, const std::string& to, int steps) {
  const Dict checkpoint = load(from);
  Training training;
  training.images = checkpoint.at("images").as_tensor();
  training.labels = checkpoint.at("labels").as_tensor();
  training.net.load_state_dict(checkpoint.at("model_state_dict").as_dict());
  training.optimizer.load_state_dict(checkpoint.at("optimizer_state_dict").as_dict());
  for (int i = 0; i < steps; ++i) training.step();
  training.save(to);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  try {
    if (words.size() == 3 && words[0] == "convert") {
      save(load(words[1]), words[2]);
    } else if (words.size() == 2 && words[0] == "modules") {
      const File file(words[1]);
      for (const FileModule& module : file.modules()) std::cout << module.summary << '\n';
    } else if (words.size() == 2 && words[0] == "start") {
      start(words[1]);
    } else if (words.size() == 4 && words[0] == "train") {
      train(words[1], words[2], std::stoi(words[3]));
    } else {
      return 2;
    }
  } catch (const Error& error) {
    std::cout << error.what() << '\n';
    return 1;
  }
}
