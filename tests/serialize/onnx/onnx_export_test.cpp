// SPDX-License-Identifier: MIT

// Networks of Teff as ONNX files, and back. tests/onnx_runtime runs the same files in ONNX Runtime.

#include <doctest/doctest.h>
#include <sys/mman.h>

#include <map>
#include <set>
#include <sstream>

#include "examples/models/zoo.h"
#include "support/error_of.h"
#include "support/op_module.h"
#include "support/same.h"
#include "support/temp_file.h"
#include "teff/engine/autograd.h"
#include "teff/engine/testing.h"
#include "teff/nn/layers/batch_norm.h"
#include "teff/nn/layers/conv2d.h"
#include "teff/nn/layers/linear.h"
#include "teff/nn/optim/sgd.h"
#include "teff/serialize/file.h"
#include "teff/serialize/operators/export_call.h"
#include "teff/serialize/save_load.h"

using namespace teff;
using namespace teff::testing;

namespace {

const SaveOptions kQuickOnnx{.format = FileFormat::onnx, .durable = false};

nn::GraphModule through_onnx(nn::Module& module, std::span<const Tensor> inputs) {
  std::stringstream file;
  save_model(module, inputs, file, kQuickOnnx);
  return load_model(file);
}

std::string export_refusal(nn::Module& module, const Tensor& input) {
  return error_of<ValueError>([&] { through_onnx(module, {&input, 1}); });
}

void check_all_close(const std::vector<Tensor>& actual, const std::vector<Tensor>& expected) {
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) assert_close(actual[i], expected[i], {1e-6, 1e-6, true});
}

/// Weights that two layers share, a buffer that is no statistic, a batch that is free, and a name with a dot.
struct ExportedNet : nn::Module {
  nn::Conv2d conv{3, 4, 3, {.padding = 1}};
  nn::BatchNorm2d bn{4};
  nn::Linear first{4, 4}, second{4, 4};
  nn::Buffer shift{full({4}, 0.25)};
  TEFF_MODULE(ExportedNet, conv, bn, first, second, shift)

  ExportedNet() { second.weight = first.weight; }
  Tensor forward(const Tensor& x) override {
    const Tensor y = relu(bn(conv(x)));
    const Tensor row = adaptive_avg_pool2d(y, 1).view({-1, 4}) + shift;
    return second(relu(first(row)));
  }
};

}  // namespace

TEST_CASE("every registered operation has a place in ONNX, or a reason why not") {
  std::set<std::string> names;
  for (const std::string& name : registered_ops()) {
    CAPTURE(name);
    const serialize::ExportRow* row = serialize::find_export(name);
    if (name.starts_with("test_")) continue;
    REQUIRE(row != nullptr);
    if (row->is_declined()) CHECK_FALSE(row->note.empty());
    names.insert(name);
  }
  for (const auto* table :
       {&serialize::operators::out_pointwise, &serialize::operators::out_shapes, &serialize::operators::out_reductions,
        &serialize::operators::out_images, &serialize::operators::out_layers, &serialize::operators::out_indexing,
        &serialize::operators::out_losses}) {
    for (const serialize::ExportRow& row : *table) {
      CAPTURE(row.op);
      CHECK(names.erase(std::string(row.op)) == 1);  // registered, and one row only
    }
  }
  CHECK(names.empty());
}

TEST_CASE("samples of every operation come back from an ONNX file, or are refused by its name") {
  std::set<std::string> written;
  for (const OpSample& sample : op_samples()) {
    CAPTURE(sample);
    const serialize::ExportRow* row = serialize::find_export(sample.op);
    REQUIRE(row != nullptr);
    OpModule module(sample);
    module.eval();
    const Tensor number = full({}, 1.5);
    std::stringstream file;
    try {
      save_model(module, number, file, kQuickOnnx);
    } catch (const ValueError& error) {
      CHECK(std::string(error.what()).find(sample.op) != std::string::npos);
      CHECK_FALSE(row->note.empty());
      MESSAGE(std::string(error.what()));
      continue;
    }
    CHECK_FALSE(row->is_declined());
    written.insert(sample.op);
    nn::GraphModule back = load_model(file);
    const NoGradGuard no_grad;
    check_all_close(back(std::vector<Tensor>{number}), module(std::vector<Tensor>{number}));
  }
  for (const OpSample& sample : op_samples()) {
    CAPTURE(sample.op);
    CHECK((written.contains(sample.op) || !serialize::find_export(sample.op)->note.empty()));
  }
}

TEST_CASE("the networks of the zoo come back from ONNX with their keys and weights, and so through .teff") {
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
    save_model(*model, images, folder / "net.onnx", kQuickOnnx);
    nn::GraphModule back = load_model(folder / "net.onnx");
    const Tensor expected = (*model)(images);
    assert_close(back(images), expected, {1e-5, 1e-6});
    assert_close(back(images[0].unsqueeze(0)), expected[0].unsqueeze(0), {1e-4, 1e-5});
    CHECK(back.state_dict() == model->state_dict());
    save_model(back, images, folder / "net.teff", {.durable = false});
    nn::GraphModule again = load_model(folder / "net.teff", {.self_test = true});
    CHECK(same(again(images), back(images)));
    CHECK(again.state_dict() == model->state_dict());
  }
}

TEST_CASE("a network written as ONNX keeps its parameters, buffers, scopes and metadata") {
  manual_seed(1);
  ExportedNet net;
  const Tensor x = randn({2, 3, 8, 8});
  const TempFolder folder;
  save_model(
      net, x, folder / "net.onnx",
      {.durable = false, .metadata = {{"licence", "MIT"}}, .input_names = {"image"}, .output_names = {"scores"}});
  const Dict state = net.state_dict();
  Dict loaded = load(folder / "net.onnx");
  CHECK(loaded.size() + 1 == state.size());  // the shared weight once
  for (const auto& [key, value] : loaded) CHECK(value == state.at(key));
  const File file(folder / "net.onnx");
  CHECK(file.metadata() == Dict{{"licence", "MIT"}});

  nn::GraphModule back = load_model(folder / "net.onnx");
  CHECK(back.inputs() == std::vector<nn::GraphPort>{{"image", {{-1, 3, -1, -1}, DType::float32}}});
  CHECK(back.outputs() == std::vector<nn::GraphPort>{{"scores", {{-1, 4}, DType::float32}}});
  CHECK(back.state_dict().contains("bn.num_batches_tracked"));
  CHECK(same(back.state_dict().at("shift").as_tensor(), net.shift));
  std::set<std::string> parameters;
  for (const auto& [name, tensor] : back.named_parameters()) parameters.insert(name);
  CHECK_FALSE(parameters.contains("shift"));
  CHECK(parameters.contains("first.weight"));
  std::set<std::string> scopes;
  for (const GraphNode& node : back.graph().nodes) scopes.insert(node.scope);
  CHECK(scopes.contains("conv"));
  net.eval();
  const NoGradGuard no_grad;
  const Tensor other = randn({5, 3, 6, 10});
  assert_close(back(other), net(other), {1e-5, 1e-6});
}

TEST_CASE("a network trains when it is back from ONNX, as the original does") {
  manual_seed(2);
  ExportedNet net;
  net.second.weight = nn::Linear(4, 4).weight;  // training would part what is shared
  const Tensor x = randn({4, 3, 8, 8}), labels = tensor<std::int64_t>({0, 1, 2, 3});
  nn::GraphModule back = through_onnx(net, {&x, 1});
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

TEST_CASE("an ONNX file is written with an example in ONNX's own form") {
  ExportedNet net;
  const Tensor x = randn({3, 3, 8, 8});
  const TempFolder folder;
  save_model(net, x, folder / "model.onnx", {.durable = false, .test_data = true});
  CHECK(std::filesystem::exists(folder / "test_data_set_0/input_0.pb"));
  CHECK(std::filesystem::file_size(folder / "test_data_set_0/input_0.pb") > 2 * 3 * 8 * 8 * 4);
  CHECK(std::filesystem::exists(folder / "test_data_set_0/output_0.pb"));
  CHECK(error_of<ValueError>([&] {
          save_model(net, x, folder / "model.teff", {.test_data = true});
        }).ends_with("expected test_data for an ONNX file, got another format, or a stream"));
}

TEST_CASE("what ONNX does not have is refused by name, and leaves the old file") {
  struct Inverse : nn::Module {
    TEFF_MODULE(Inverse)
    Tensor forward(const Tensor& x) override { return cumprod(erfinv(x), 0); }
  } net;
  const Tensor x = full({3, 2}, 0.5);
  CHECK(
      export_refusal(net, x) ==
      "save_model: stream: expected operations that ONNX has, got cumprod (ONNX has no running product), erfinv (ONNX "
      "has no such operator)");
  nn::Linear layer(2, 2);
  CHECK(error_of<ValueError>([&] {
          std::stringstream file;
          save_model(layer, x, file, {.format = FileFormat::onnx, .metadata = {{"epoch", 5}}});
        }).ends_with("metadata \"epoch\": expected text, which is all that ONNX takes, got an integer"));
}

TEST_CASE("a network that is too large for a protocol buffer is refused before a byte is read") {
  constexpr std::size_t kBytes = std::size_t{1} << 31;
  void* const memory = ::mmap(nullptr, kBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  {
    const auto unmap = [](void* place) { ::munmap(place, kBytes); };
    const Tensor weight =
        Tensor::from_external(static_cast<float*>(memory), {static_cast<std::int64_t>(kBytes / 4)}, unmap);
    nn::GraphModuleData data;
    data.graph.nodes = {{.name = "x", .type = {{2}, DType::float32}}};
    data.graph.outputs = {0};
    data.state = {{"weight", weight}};
    nn::GraphModule module(data);
    const std::string refusal = export_refusal(module, zeros({2}));
    CHECK(refusal.starts_with("save_model: stream: expected at most 2147483647 bytes, which is the most that an ONNX"));
    CHECK(refusal.ends_with(": save the model as .teff"));
  }
}
