#include <teff/teff.h>
#include <iostream>

using namespace teff;

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
    return fc3(x);
  }
};

int main() {
  manual_seed(0);  // the weights torch.manual_seed(0) gives
  Net net;
  std::cout << net << '\n';  // exactly what Python prints for this Net

  optim::SGD optimizer(net.parameters(), {.lr = 0.001, .momentum = 0.9});
  Tensor images = randn({4, 3, 32, 32});
  Tensor labels = tensor<int64_t>({3, 1, 4, 1});
  for (int step = 0; step < 20; ++step) {
    optimizer.zero_grad();
    Tensor loss = cross_entropy(net(images), labels);
    loss.backward();
    optimizer.step();
    std::cout << loss.item<float>() << '\n';
  }

  // state dict
  save(net.state_dict(), "state_dict_model.teff");
  Net model;
  model.load_state_dict(load("state_dict_model.teff"));
  model.eval();

  // entire model: captured once with an example input, loads without class Net
  save_model(net, images, "entire_model.teff");
  nn::GraphModule entire = load_model("entire_model.teff");
  entire.eval();

  NoGradGuard no_grad;
  std::cout << (model(images) - entire(images)).abs().max().item<float>() << '\n';  // 0

  // general checkpoint, several models in one file: a Dict holds tensors, numbers, text, lists and Dicts
  Dict checkpoint{{"epoch", 5},
                  {"model_state_dict", net.state_dict()},
                  {"optimizer_state_dict", optimizer.state_dict()},
                  {"loss", 0.4}};
  save(checkpoint, "checkpoint.teff");
  Dict resumed = load("checkpoint.teff");
  model.load_state_dict(resumed.at("model_state_dict").as_dict());
  optimizer.load_state_dict(resumed.at("optimizer_state_dict").as_dict());
  std::cout << resumed.at("epoch").as_int() << '\n';

  // part of another model: what PyTorch calls warm start
  LoadReport report = model.load_state_dict(net.state_dict(), {.strict = false});
  std::cout << report.missing_keys.size() << ' ' << report.unexpected_keys.size() << '\n';
}
