// SPDX-License-Identifier: MIT
// The recipe "saving and loading models for inference", step by step. Writes state_dict_model.teff and
// entire_model.teff into the current folder, and checks what it says.

// Step 1. Import what is needed.
#include <cstdlib>
#include <iostream>
#include <string>
#include <type_traits>

#include <teff/teff.h>

using namespace teff;

// Step 2. Define the neural network.
struct Net : nn::Module {
  nn::Conv2d conv1{3, 6, 5};
  nn::MaxPool2d pool{2, 2};
  nn::Conv2d conv2{6, 16, 5};
  nn::Linear fc1{16 * 5 * 5, 120};
  nn::Linear fc2{120, 84};
  nn::Linear fc3{84, 10};
  TEFF_MODULE(Net, conv1, pool, conv2, fc1, fc2, fc3)

  Tensor forward(const Tensor& input) override {
    Tensor x = pool(relu(conv1(input)));
    x = pool(relu(conv2(x)));
    x = x.view({-1, 16 * 5 * 5});
    x = relu(fc1(x));
    x = relu(fc2(x));
    x = fc3(x);
    return x;
  }
};

void check(bool ok, const std::string& claim) {
  if (!ok) throw Error("this should hold, and does not: " + claim);
  std::cout << "checked: " << claim << '\n';
}

void run() {
  // Step 2, continued. Initialise the network.
  Net net;
  std::cout << net << '\n';

  // Step 3. Initialise the optimizer.
  optim::SGD optimizer(net.parameters(), {.lr = 0.001, .momentum = 0.9});

  // What the loaded models have to reproduce.
  const Tensor images = randn({4, 3, 32, 32});
  net.eval();
  const Tensor expected = net(images).detach();
  net.train();

  // Step 4. Save and load the model through its state_dict: only the learned parameters.
  {
    const std::string PATH = "state_dict_model.teff";

    // Save
    save(net.state_dict(), PATH);

    // Load
    Net model;
    check(!equal(model(images).detach(), expected), "a new Net has other parameters than the first one");
    model.load_state_dict(load(PATH));
    model.eval();

    check(equal(model(images).detach(), expected), "with the loaded state dict it computes what net computes");
  }
  // load_state_dict takes a dictionary, not the path of a saved one: model.load_state_dict(PATH) does not
  // compile.
  static_assert(!std::is_convertible_v<std::string, Dict> && !std::is_convertible_v<const char*, Dict>);
  // Remember model.eval() before inference: dropout and batch normalisation behave differently in training.

  // Step 5. Save and load the entire model.
  {
    const std::string PATH = "entire_model.teff";

    // Save. The example input shows what forward does; unlike a pickle, the file does not need class Net.
    save_model(net, images, PATH);

    // Load
    nn::GraphModule model = load_model(PATH);
    model.eval();

    check(equal(model(images).detach(), expected), "the entire model computes what net computes, without class Net");
    const Tensor more = randn({7, 3, 32, 32});
    check(equal(model(more), net(more)), "and so it does for another number of images");
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
