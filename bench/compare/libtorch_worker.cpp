// SPDX-License-Identifier: MIT
// The worker of PyTorch's C++ library. Usage: libtorch_worker THREADS; libtorch_worker cold MODEL.ts

#include <torch/script.h>
#include <torch/torch.h>

#include "worker.h"

using compare::Request;
using compare::Work;

namespace {

struct Net : torch::nn::Module {
  torch::nn::Conv2d conv1{nullptr}, conv2{nullptr};
  torch::nn::Linear fc1{nullptr}, fc2{nullptr}, fc3{nullptr};
  Net() {
    conv1 = register_module("conv1", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 6, 5)));
    conv2 = register_module("conv2", torch::nn::Conv2d(torch::nn::Conv2dOptions(6, 16, 5)));
    fc1 = register_module("fc1", torch::nn::Linear(400, 120));
    fc2 = register_module("fc2", torch::nn::Linear(120, 84));
    fc3 = register_module("fc3", torch::nn::Linear(84, 10));
  }
  torch::Tensor forward(torch::Tensor x) {
    x = torch::max_pool2d(torch::relu(conv1(x)), 2);
    x = torch::max_pool2d(torch::relu(conv2(x)), 2);
    x = x.view({-1, 400});
    return fc3(torch::relu(fc2(torch::relu(fc1(x)))));
  }
};

std::shared_ptr<Net> make_net() {
  torch::manual_seed(0);
  return std::make_shared<Net>();
}

torch::Tensor images_of(std::int64_t batch, std::int64_t channels, std::int64_t size) {
  auto images = torch::empty({batch, channels, size, size});
  compare::fill_pattern(images.data_ptr<float>(), images.numel());
  return images;
}

compare::Values values(const torch::Tensor& tensor) {
  return compare::first_values(tensor.data_ptr<float>(), tensor.numel());
}

Work infer_net(std::int64_t batch) {
  auto net = make_net();
  net->eval();
  auto images = images_of(batch, 3, 32);
  auto last = std::make_shared<torch::Tensor>();
  return {[=] {
            torch::InferenceMode mode;
            *last = net->forward(images);
          },
          [=] { return values(*last); }};
}

// Any other network, from the file that torch_worker.py wrote.
Work infer_script(const Request& r) {
  auto net = std::make_shared<torch::jit::Module>(torch::jit::load(r.text(1) + ".ts"));
  auto images = images_of(r.number(2), r.number(3), r.number(4));
  auto last = std::make_shared<torch::Tensor>();
  return {[=] {
            torch::InferenceMode mode;
            *last = net->forward({images}).toTensor();
          },
          [=] { return values(*last); }};
}

Work step(std::int64_t batch) {
  auto net = make_net();
  auto images = images_of(batch, 3, 32), labels = torch::arange(batch) % 10;
  auto optimizer =
      std::make_shared<torch::optim::SGD>(net->parameters(), torch::optim::SGDOptions(0.001).momentum(0.9));
  auto last = std::make_shared<torch::Tensor>();
  return {[=] {
            optimizer->zero_grad();
            auto loss = torch::nn::functional::cross_entropy(net->forward(images), labels);
            loss.backward();
            optimizer->step();
            *last = loss.detach();
          },
          [=] { return values(*last); }};
}

Work make(const Request& r) {
  if (r.kind() == "infer") return r.text(1) == "net" ? infer_net(r.number(2)) : infer_script(r);
  if (r.kind() == "step" && r.text(1) == "net") return step(r.number(2));
  return {};
}

int cold_start(const char* path) {
  torch::InferenceMode mode;
  auto scores = torch::jit::load(path).forward({images_of(1, 3, 32)}).toTensor();
  std::cout << "{\"first\": " << compare::json(values(scores)) << "}\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3) return cold_start(argv[2]);
  torch::set_num_threads(argc > 1 ? std::stoi(argv[1]) : 1);
  return compare::serve(TORCH_VERSION, make);
}
