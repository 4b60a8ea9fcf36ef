// SPDX-License-Identifier: MIT

// What test_script_out.py calls: networks as TorchScript archives, and what they do.
//   script_out_partner samples FOLDER     the samples of all operations
//   script_out_partner nets FOLDER        small networks
//   script_out_partner zoo FOLDER NAME    a network of the zoo; without a name, lists them
// For each network N.pt, and N.answer.pt of its "inputs", "outputs", "more" (lists of inputs of other sizes and what
// comes out) and "printed"; whether "train" is its mode for what follows, and "dtype" its dtype: the outputs, and after
// one step of SGD, whose gradients are those of the sum of all outputs, the i-th number of each times cos(i),
// "gradients" and "state_dict". Prints a line for each: N, a tab, its name; and where there is a refusal, a tab and
// that.

#include <iostream>
#include <limits>
#include <sstream>
#include <string>

#include <teff/teff.h>

#include "examples/models/zoo.h"
#include "support/op_network.h"

namespace {

using namespace teff;
using Tensors = std::vector<Tensor>;

constexpr double kRate = 0.01;

List list_of(const Tensors& tensors) { return {tensors.begin(), tensors.end()}; }

template <class Net>
void write(const std::string& folder, const std::string& number, const std::string& name, Net& net,
           const Tensors& inputs, bool train, const std::vector<Tensors>& more = {}, DType dtype = DType::float32) {
  std::cout << number << '\t' << name;
  try {
    std::ostringstream printed;
    printed << net;
    net.eval();
    save_model(net, inputs, folder + '/' + number + ".pt", {.durable = false});
    nn::GraphModule graph = nn::capture(net, inputs);
    List others;
    Dict answer{{"inputs", list_of(inputs)},
                {"printed", printed.str()},
                {"train", train},
                {"dtype", std::string(to_string(dtype))}};
    {
      const NoGradGuard no_grad;
      answer.insert("outputs", list_of(graph(inputs)));
      for (const Tensors& values : more)
        others.push_back(Dict{{"inputs", list_of(values)}, {"outputs", list_of(graph(values))}});
    }
    answer.insert("more", others);
    answer.insert("before", Dict(graph.clone().state_dict()));
    graph.train(train);
    if (dtype != DType::float32) graph.to(dtype);
    Tensors given;
    for (const Tensor& input : inputs) given.push_back(is_floating_point(input.dtype()) ? input.to(dtype) : input);
    const Tensors outputs = graph(given);
    testing::backward_of_all(outputs);
    Dict gradients;
    for (const auto& [key, parameter] : graph.named_parameters()) {
      if (parameter.grad().defined()) gradients.insert(key, parameter.grad());
    }
    Tensors detached;
    for (const Tensor& output : outputs) detached.push_back(output.detach());
    if (!graph.parameters().empty()) optim::SGD(graph.parameters(), {.lr = kRate}).step();
    answer.insert("train_outputs", list_of(detached));
    answer.insert("gradients", gradients);
    answer.insert("state_dict", graph.state_dict());
    save(answer, folder + '/' + number + ".answer.pt", {.durable = false});
    std::cout << '\n';
  } catch (const Error& error) {
    std::cout << '\t' << error.what() << '\n';
  }
}

void write_samples(const std::string& folder) {
  int number = 0;
  for (const testing::OpSample& sample : testing::op_samples()) {
    nn::GraphModule net = testing::op_network(sample);
    std::ostringstream name;
    name << sample.op << ' ' << sample.attributes;
    const bool train = sample.op == "batch_norm" || sample.op == "instance_norm";
    write(folder, std::to_string(number++), name.str(), net, {tensor<float>({1.5f})[0]}, train);
  }
}

struct TiedNet : nn::Module {
  nn::Embedding words{11, 6};
  nn::Linear lambda{6, 6}, out{6, 11, {.bias = false}};
  nn::Buffer shift{full({6}, 0.25)};
  TEFF_MODULE(TiedNet, words, lambda, out, shift)

  TiedNet() { out.weight = words.weight; }
  Tensor forward(const Tensor& x) override { return out(tanh(lambda(words(x)) + shift)); }
};

struct TwoHeads : nn::Module {
  nn::Conv2d conv{3, 4, 3, {.padding = 1}};
  nn::BatchNorm2d bn{4};
  nn::Dropout drop{0.5};
  nn::Linear first{4, 5}, second{4, 2};
  TEFF_MODULE(TwoHeads, conv, bn, drop, first, second)

  std::vector<Tensor> forward_many(std::span<const Tensor> x) override {
    const Tensor y = relu(bn(conv(x[0]))) * x[1].view({-1, 1, 1, 1});
    const Tensor row = adaptive_avg_pool2d(y, 1).view({y.size(0), -1});
    return {first(drop(row)), softmax(second(row), 1), max_pool2d(y, 2).flatten(1).sum(1)};
  }
};

struct Recurrent : nn::Module {
  nn::LSTM lstm{5, 4, {.num_layers = 2, .batch_first = true, .bidirectional = true}};
  nn::GRU gru{8, 3, {.batch_first = true}};
  nn::TransformerEncoderLayer encoder{8, 2, {.dim_feedforward = 12, .dropout = 0, .batch_first = true}};
  TEFF_MODULE(Recurrent, lstm, gru, encoder)

  Tensor forward(const Tensor& x) override { return gru.forward(encoder(lstm.forward(x))); }
};

struct Dropping : nn::Module {
  nn::Dropout drop{0.5};
  nn::Dropout2d planes{0.5};
  TEFF_MODULE(Dropping, drop, planes)

  std::vector<Tensor> forward_many(std::span<const Tensor> x) override {
    return {drop(x[0]), planes(x[0]), x[0] + arange(5).to(DType::float32),
            clamp(x[0], -std::numeric_limits<double>::infinity(), 0.1)};
  }
};

/// The input and parameters of these keys, added up.
nn::GraphModule sum_of(const std::vector<std::string>& keys) {
  using Kind = GraphNode::Kind;
  const TensorType type{{2, 2}, DType::float32}, row{{2}, DType::float32};
  nn::GraphModuleData data;
  data.graph.nodes = {{Kind::placeholder, "self", "", 1, {}, {}, "", type}};
  data.summary.type_name = "Sum";
  std::int64_t sum = 0;
  for (const std::string& key : keys) {
    const auto place = static_cast<std::int64_t>(data.graph.nodes.size());
    data.graph.nodes.push_back({Kind::get_attr, "get " + key, key, 1, {}, {}, "", row});
    data.graph.nodes.push_back({Kind::call, "add " + key, "add", 1, {}, {sum, place}, "", type});
    data.state.push_back({key, randn({2}).requires_grad_()});
    sum = place + 1;
  }
  data.graph.outputs = {sum};
  return nn::GraphModule(data);
}

void write_nets(const std::string& folder) {
  manual_seed(0);
  Dropping dropping;
  write(folder, "dropping", "Dropping", dropping, {randn({4, 20, 5})}, false, {{randn({2, 30, 5})}});
  nn::GraphModule odd =
      sum_of({"lambda", "a b", "quote\"d", "back\\slash", "gr\xc3\xbc\xc3\x9f", "tab\t", "torch", "self", "sum", "{0}",
              "%s", "0.1.weight", "0.2.0", "None.True", "type.int", "not a.name"});
  write(folder, "odd", "odd names", odd, {randn({2, 2})}, true, {{randn({5, 2})}});
  TiedNet tied;
  const auto words = [](std::int64_t rows, std::int64_t length) {
    return remainder(arange(rows * length).to(DType::int64) * 7, 11).view({rows, length});
  };
  write(folder, "tied", "TiedNet", tied, {words(2, 3)}, true, {{words(5, 4)}});
  TwoHeads heads;
  heads.drop = nn::Dropout(0);
  const auto pair = [](std::int64_t n, std::int64_t h, std::int64_t w) {
    return Tensors{randn({n, 3, h, w}), rand({n})};
  };
  write(folder, "heads", "TwoHeads", heads, pair(2, 8, 8), true, {pair(3, 8, 8), pair(1, 12, 10)});
  Recurrent recurrent;
  write(folder, "recurrent", "Recurrent", recurrent, {randn({2, 4, 5})}, false, {{randn({3, 4, 5})}});
  nn::Sequential sequential(nn::Conv2d(3, 4, 3), nn::BatchNorm2d(4), nn::ReLU(),
                            nn::Sequential(nn::Conv2d(4, 4, 1), nn::PReLU()), nn::Flatten(), nn::Linear(144, 3));
  write(folder, "sequential", "Sequential", sequential, {randn({2, 3, 8, 8})}, true, {{randn({4, 3, 8, 8})}});
}

void write_zoo(const std::string& folder, const std::string& name) {
  manual_seed(0);
  const auto model = models::make_model(name, {.num_classes = 10});
  Shape shape;
  for (const models::ZooEntry& entry : models::zoo()) {
    if (entry.name == name) shape = entry.image;
  }
  shape.insert(0, 2);
  const Tensor images = randn(shape);
  const bool drops =
      name == "alexnet" || name.starts_with("vgg") || name.starts_with("squeeze") || name.starts_with("mobile");
  write(folder, name, name, *model, {images}, !drops, {{randn(shape)[0].unsqueeze(0)}}, DType::float64);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 2 && words[0] == "samples") {
    write_samples(words[1]);
  } else if (words.size() == 2 && words[0] == "nets") {
    write_nets(words[1]);
  } else if (words.size() == 3 && words[0] == "zoo") {
    write_zoo(words[1], words[2]);
  } else if (words.size() == 2 && words[0] == "zoo") {
    for (const models::ZooEntry& entry : models::zoo()) std::cout << entry.name << '\n';
  } else {
    return 2;
  }
}
