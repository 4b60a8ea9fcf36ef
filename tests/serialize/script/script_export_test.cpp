// SPDX-License-Identifier: MIT

// Networks of Teff as TorchScript archives, and back. tests/torch/test_script_out.py runs the same in PyTorch.

#include <doctest/doctest.h>

#include <limits>
#include <set>
#include <sstream>

#include "examples/models/zoo.h"
#include "support/error_of.h"
#include "support/op_network.h"
#include "support/same.h"
#include "support/temp_file.h"
#include "teff/engine/autograd.h"
#include "teff/engine/op_registry.h"
#include "teff/engine/ops.h"
#include "teff/engine/testing.h"
#include "teff/nn/layers/batch_norm.h"
#include "teff/nn/layers/conv2d.h"
#include "teff/nn/layers/dropout.h"
#include "teff/nn/layers/linear.h"
#include "teff/nn/optim/sgd.h"
#include "teff/serialize/file.h"
#include "teff/serialize/operators/aten_export.h"
#include "teff/serialize/save_load.h"

using namespace teff;
using namespace teff::testing;

namespace {

const SaveOptions kQuickScript{.format = FileFormat::pytorch, .durable = false};

std::string script_of(nn::Module& module, const Tensor& input) {
  std::stringstream file;
  save_model(module, input, file, kQuickScript);
  return file.str();
}

nn::GraphModule from_script(const std::string& bytes, const Tensor& input) {
  std::stringstream file(bytes);
  return load_model(file, {.input_types = {input.type()}});
}

std::string script_refusal(nn::Module& module, const Tensor& input) {
  return error_of<ValueError>([&] { script_of(module, input); });
}

void check_all_near(const std::vector<Tensor>& actual, const std::vector<Tensor>& expected) {
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) assert_close(actual[i], expected[i], {1e-5, 1e-5, true});
}

/// Keys in their order, and every bit.
void check_same_state(const Dict& actual, const Dict& expected) {
  REQUIRE(actual.size() == expected.size());
  auto other = expected.begin();
  for (const auto& [key, value] : actual) {
    CHECK(key == other->key);
    CHECK(same(value.as_tensor(), other->value.as_tensor()));
    ++other;
  }
}

/// Weights that two layers share, a buffer that is no statistic, and a size that follows another.
struct ScriptedNet : nn::Module {
  nn::Conv2d conv{3, 4, 3, {.padding = 1}};
  nn::BatchNorm2d bn{4};
  nn::Dropout drop{0.5};
  nn::Linear first{4, 4}, second{4, 4};
  nn::Buffer shift{full({4}, 0.25)};
  TEFF_MODULE(ScriptedNet, conv, bn, drop, first, second, shift)

  ScriptedNet() { second.weight = first.weight; }
  Tensor forward(const Tensor& x) override {
    const Tensor y = relu(bn(conv(x)));
    const Tensor row = adaptive_avg_pool2d(y, 1).view({x.size(0), 4}) + shift;
    return second(relu(first(drop(row))));
  }
};

/// One parameter of that key, added to the input.
nn::GraphModule module_of_key(const std::string& key) {
  const TensorType type{{2}, DType::float32};
  nn::GraphModuleData data;
  data.graph.nodes = {{GraphNode::Kind::placeholder, "x", "", 1, {}, {}, "", type},
                      {GraphNode::Kind::get_attr, "key", key, 1, {}, {}, "", type},
                      {GraphNode::Kind::call, "sum", "add", 1, {}, {0, 1}, "", type}};
  data.graph.outputs = {2};
  data.state = {{key, tensor<float>({0.5f, -1.25f})}};
  return nn::GraphModule(data);
}

/// clamp to these ends.
nn::GraphModule module_of_ends(double least, double most) {
  const TensorType type{{2}, DType::float32};
  nn::GraphModuleData data;
  data.graph.nodes = {{GraphNode::Kind::placeholder, "x", "", 1, {}, {}, "", type},
                      {GraphNode::Kind::call, "ends", "clamp", 1, {{"min", least}, {"max", most}}, {0}, "", type}};
  data.graph.outputs = {1};
  return nn::GraphModule(data);
}

}  // namespace

TEST_CASE("every registered operation has a place in ATen, or a reason why not") {
  std::set<std::string> names;
  for (const std::string& name : registered_ops()) {
    CAPTURE(name);
    if (name.starts_with("test_")) continue;
    const serialize::AtenExport* row = serialize::find_aten_export(name);
    REQUIRE(row != nullptr);
    if (row->is_declined()) CHECK_FALSE(row->note.empty());
    CHECK((row->is_declined() || !row->operators().empty()));
    names.insert(name);
  }
  namespace tables = serialize::operators;
  for (const auto* table :
       {&tables::aten_out_pointwise, &tables::aten_out_shapes, &tables::aten_out_reductions, &tables::aten_out_images,
        &tables::aten_out_layers, &tables::aten_out_indexing, &tables::aten_out_losses}) {
    for (const serialize::AtenExport& row : *table) {
      CAPTURE(row.op);
      CHECK(names.erase(std::string(row.op)) == 1);  // registered, and one row only
    }
  }
  CHECK(names.empty());
}

TEST_CASE("samples of every operation come back from a TorchScript archive, or are refused by its name") {
  std::set<std::string> written;
  for (const OpSample& sample : op_samples()) {
    CAPTURE(sample);
    nn::GraphModule module = op_network(sample);
    const Tensor number = full({}, 1.5);
    std::string bytes;
    try {
      bytes = script_of(module, number);
    } catch (const ValueError& error) {
      CHECK(std::string(error.what()).find(sample.op) != std::string::npos);
      CHECK_FALSE(serialize::find_aten_export(sample.op)->note.empty());
      continue;
    }
    written.insert(sample.op);
    CHECK(script_of(module, number) == bytes);
    nn::GraphModule back = from_script(bytes, number);
    check_same_state(back.state_dict(), module.state_dict());
    const NoGradGuard no_grad;
    check_all_near(back(std::vector<Tensor>{number}), module(std::vector<Tensor>{number}));
  }
  for (const OpSample& sample : op_samples()) {
    CAPTURE(sample.op);
    CHECK(written.contains(sample.op));
  }
}

TEST_CASE("the networks of the zoo come back from TorchScript with their keys, weights and modules") {
  manual_seed(0);
  const NoGradGuard no_grad;
  for (const models::ZooEntry& entry : models::zoo()) {
    if (entry.name.starts_with("vgg")) continue;  // 500 MB each, of the same operations as AlexNet
    CAPTURE(entry.name);
    const auto model = entry.make(10);
#ifndef NDEBUG  // slow builds, with assertions and sanitizers: the small networks
    if (model->num_parameters() > 2'000'000) continue;
#endif
    Shape shape = entry.image;
    shape.insert(0, 2);
    const Tensor images = randn(shape);
    model->eval();
    const TempFolder folder;
    save_model(*model, images, folder / "net.pt", {.durable = false});
    nn::GraphModule back = load_model(folder / "net.pt", {.input_types = {images.type()}});
    const Tensor expected = (*model)(images);
    assert_close(back(images), expected, {1e-5, 1e-6});
    assert_close(back(images[0].unsqueeze(0)), expected[0].unsqueeze(0), {1e-4, 1e-5});
    check_same_state(back.state_dict(), model->state_dict());
    check_same_state(load(folder / "net.pt"), model->state_dict());
    CHECK(back.summary().extra_repr == "original_name=" + model->type_name());
    save_model(back, images, folder / "again.pt", {.durable = false});
    CHECK(load_model(folder / "again.pt", {.input_types = {images.type()}}).summary() == back.summary());
  }
}

TEST_CASE("a network written as TorchScript keeps parameters, buffers, scopes, mode and free sizes") {
  manual_seed(1);
  ScriptedNet net;
  const Tensor x = randn({2, 3, 8, 8});
  const TempFolder folder;
  save_model(net, x, folder / "net.pt", {.durable = false, .input_names = {"image"}});
  check_same_state(load(folder / "net.pt"), net.state_dict());
  nn::GraphModule back = load_model(folder / "net.pt", {.input_types = {x.type()}});
  CHECK(back.inputs() == std::vector<nn::GraphPort>{{"image", {{-1, 3, -1, -1}, DType::float32}}});
  check_same_state(back.state_dict(), net.state_dict());
  CHECK(back.is_training());
  CHECK(back.parameters().size() == net.parameters().size());  // the shared weight once
  CHECK(back.buffers().size() == net.buffers().size());
  std::set<std::string> scopes;
  for (const nn::ModuleSummary& child : back.summary().children) scopes.insert(child.extra_repr + ' ' + child.name);
  CHECK(scopes == std::set<std::string>{"original_name=Conv2d conv", "original_name=BatchNorm2d bn",
                                        "original_name=Dropout drop", "original_name=Linear first",
                                        "original_name=Linear second"});
  net.eval();
  back.eval();
  const NoGradGuard no_grad;
  const Tensor other = randn({5, 3, 6, 10});
  assert_close(back(other), net(other), {1e-5, 1e-6});
}

TEST_CASE("a network trains when it is back from TorchScript, as the original does") {
  manual_seed(2);
  ScriptedNet net;
  net.drop = nn::Dropout(0);
  const Tensor x = randn({4, 3, 8, 8}), labels = tensor<std::int64_t>({0, 1, 2, 3});
  nn::GraphModule back = from_script(script_of(net, x), x);
  const auto train = [&](nn::Module& module) {
    module.train();
    optim::SGD optimizer(module.parameters(), {.lr = 0.1, .momentum = 0.9});
    for (int step = 0; step < 3; ++step) {
      optimizer.zero_grad();
      cross_entropy(module(x), labels).backward();
      optimizer.step();
    }
  };
  train(net);
  train(back);
  for (const auto& [key, value] : net.state_dict()) {
    CAPTURE(key);
    assert_close(back.state_dict().at(key).as_tensor(), value.as_tensor(), {1e-4, 1e-5});
  }
}

TEST_CASE("keys that are no names of Python are kept, and those that no module can have are refused") {
  const Tensor x = tensor<float>({1, 2});
  for (const std::string key : {"0", "lambda", "a b", "quote\"d", "back\\slash", "gr\xc3\xbc\xc3\x9f", "tab\t", "torch",
                                "self", "0.1.2", "None.True", "x", "sum", "{0}", "%s"}) {
    CAPTURE(key);
    nn::GraphModule module = module_of_key(key);
    nn::GraphModule back = from_script(script_of(module, x), x);
    check_same_state(back.state_dict(), module.state_dict());
    CHECK(same(back(x), module(x)));
  }
  for (const std::string key : {"training", "a.training.b", "forward", "a..b", ".", "", "a."}) {
    CAPTURE(key);
    nn::GraphModule module = module_of_key(key);
    CHECK(script_refusal(module, x).find("expected names that a module of TorchScript can have") != std::string::npos);
  }
  nn::GraphModule long_one = module_of_key(std::string(300, 'k') + ".w");  // has a variable in the code
  CHECK(same(from_script(script_of(long_one, x), x)(x), long_one(x)));
  nn::GraphModule too_long = module_of_key(std::string(5000, 'k'));
  CHECK(script_refusal(too_long, x).ends_with("expected keys of at most 4096 bytes, got 5000"));
  std::string deep = "a";
  for (int i = 0; i < 100; ++i) deep += ".a";
  nn::GraphModule module = module_of_key(deep);
  CHECK(script_refusal(module, x).ends_with("expected at most 64 modules in each other, got more"));
}

TEST_CASE("numbers of code are read as they were") {
  const double least = std::numeric_limits<double>::denorm_min(), most = std::numeric_limits<double>::max();
  const double infinity = std::numeric_limits<double>::infinity();
  const Tensor x = tensor<float>({1, 2});
  for (const auto& [low, high] : {std::pair{0.1, 1.0 / 3},
                                  {-most, most},
                                  {-infinity, infinity},
                                  {least, 1e22},
                                  {-1.0, 123456789012345678.0},
                                  {1e-7, 5e-324}}) {
    nn::GraphModule module = module_of_ends(low, high);
    const nn::GraphModule back = from_script(script_of(module, x), x);
    const auto is_clamp = [](const GraphNode& node) { return node.target == "clamp"; };
    const auto& nodes = back.graph().nodes;
    const auto found = std::find_if(nodes.begin(), nodes.end(), is_clamp);
    REQUIRE(found != nodes.end());
    CHECK(found->attributes.at("min") == Value(low));
    CHECK(found->attributes.at("max") == Value(high));
  }
}

TEST_CASE("what TorchScript does not have is refused by name, and leaves the old file") {
  const TempFolder folder;
  ScriptedNet net;
  const Tensor x = randn({2, 3, 8, 8});
  save_model(net, x, folder / "net.pt", {.durable = false});
  const Dict before = load(folder / "net.pt");
  CHECK(error_of<ValueError>([&] {
          save_model(net, x, folder / "net.pt", {.metadata = {{"epoch", 5}}});
        }).ends_with("expected no SaveOptions::metadata, for which PyTorch's files have no place"));
  nn::GraphModuleData data = module_of_key("weight").data();
  data.state = {{"weight", zeros({2}, {.dtype = DType::uint16}), false}};
  data.graph.nodes = {{GraphNode::Kind::placeholder, "x", "", 1, {}, {}, "", {{2}, DType::float32}}};
  data.graph.outputs = {0};
  nn::GraphModule module(data);
  CHECK(script_refusal(module, tensor<float>({1, 2})).find("expected a dtype that TorchScript has, got uint16") !=
        std::string::npos);
  check_same_state(load(folder / "net.pt"), before);
}
