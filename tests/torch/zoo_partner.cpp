// SPDX-License-Identifier: MIT

// The program that test_torchvision.py talks to.
//   zoo_partner names                the networks, one a line, each with its images' [C, H, W]
//   zoo_partner start NAME OUT       the state dict of a new network after manual_seed(0), numbers drawn then, and
//                                    how it prints
//   zoo_partner eval NAME IN OUT     loads IN's "state_dict" and writes what the network makes of IN's "images", in
//                                    float32 and in float64
//   zoo_partner step NAME IN OUT     the same in training mode and double precision after manual_seed(0), for
//                                    cross_entropy with IN's "labels": the loss, the gradients, and the state dict
// Every network has 10 classes. What is refused goes to the standard output, with exit status 1.

#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include <teff/teff.h>

#include "examples/models/zoo.h"

namespace {

using namespace teff;

std::shared_ptr<nn::Module> make(const std::string& name) {
  manual_seed(0);
  return models::make_model(name, {.num_classes = 10});
}

void print_names() {
  for (const models::ZooEntry& entry : models::zoo()) {
    std::cout << entry.name;
    for (const std::int64_t side : entry.image) std::cout << ' ' << side;
    std::cout << '\n';
  }
}

void start(const std::string& name, const std::string& path) {
  const auto model = make(name);
  std::ostringstream printed;
  printed << *model;
  save({{"state_dict", model->state_dict()}, {"next", rand({4})}, {"printed", printed.str()}}, path,
       {.durable = false});
}

void evaluate(const std::string& name, const std::string& from, const std::string& to) {
  const auto model = make(name);
  const Dict given = load(from);
  model->load_state_dict(given.at("state_dict").as_dict());
  model->eval();
  const NoGradGuard no_grad;
  Dict scores;
  for (const DType dtype : {DType::float32, DType::float64}) {
    model->to(dtype);
    scores.insert(std::string(to_string(dtype)), (*model)(given.at("images").as_tensor().to(dtype)));
  }
  save(scores, to, {.durable = false});
}

void step(const std::string& name, const std::string& from, const std::string& to) {
  const auto model = make(name);
  const Dict given = load(from);
  model->to(DType::float64);
  model->load_state_dict(given.at("state_dict").as_dict());
  manual_seed(0);
  const Tensor scores = (*model)(given.at("images").as_tensor().to(DType::float64));
  const Tensor loss = cross_entropy(scores, given.at("labels").as_tensor());
  loss.backward();
  Dict gradients;
  for (const auto& [key, parameter] : model->named_parameters()) gradients.insert(key, parameter.grad());
  save({{"loss", loss.item<double>()}, {"gradients", gradients}, {"state_dict", model->state_dict()}}, to,
       {.durable = false});
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  try {
    if (words.size() == 1 && words[0] == "names") {
      print_names();
    } else if (words.size() == 3 && words[0] == "start") {
      start(words[1], words[2]);
    } else if (words.size() == 4 && words[0] == "eval") {
      evaluate(words[1], words[2], words[3]);
    } else if (words.size() == 4 && words[0] == "step") {
      step(words[1], words[2], words[3]);
    } else {
      return 2;
    }
  } catch (const Error& error) {
    std::cout << error.what() << '\n';
    return 1;
  }
}
