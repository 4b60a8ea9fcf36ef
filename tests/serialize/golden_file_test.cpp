// SPDX-License-Identifier: MIT

// Files of every released format version, kept in tests/golden, load for ever. They were written by this
// test, with the environment variable TEFF_WRITE_GOLDEN set, when the version was new; they are never written
// again.

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "serialize/file_fixture.h"
#include "serialize/sample_models.h"
#include "support/temp_file.h"
#include "teff/engine/image_ops.h"
#include "teff/nn/graph/inference_session.h"

using namespace teff;
using namespace teff::testing;

namespace {

std::string golden(const std::string& name) { return std::string(TEFF_GOLDEN_DIR "/") + name; }

/// Something of everything that version 1 has. The numbers are exact in any arithmetic.
Dict golden_dict() {
  const Tensor weight = arange(0, 6, 1, {.dtype = DType::float32}).view({2, 3});
  Dict tensors{{"weight", weight}, {"tied", weight}, {"flat", weight.view({-1})}, {"none", zeros({0, 4})}};
  for (const DType dtype : {DType::float32, DType::float64, DType::int64, DType::int32, DType::int16, DType::int8,
                            DType::uint8, DType::bool_, DType::float16, DType::bfloat16}) {
    tensors.insert(std::string(to_string(dtype)), tensor<std::int32_t>({0, 1, 2}).to(dtype));
  }
  return {{"model_state_dict", tensors},
          {"epoch", 5},
          {"loss", 0.4},
          {"done", false},
          {"nothing", nullptr},
          {"comment", "grün"},
          {"raw", Bytes{std::byte{0}, std::byte{255}}},
          {"history", List{1, 0.5, "x", Dict{{"lr", 0.1}}}}};
}

/// Convolution, batch norm, dropout, a view that follows the batch, and a linear layer, with small whole
/// numbers.
struct GoldenNet : Regularised {
  GoldenNet() {
    const NoGradGuard no_grad;
    double value = 0;
    for (const Tensor& parameter : parameters()) parameter.fill_(value = value == 2 ? -1 : value + 1);
    norm.running_var.fill_(4);
  }
  std::string type_name() const override { return "GoldenNet"; }
};

/// The extrema that version 0.1.0 calls max and min, and views of several kinds.
struct GoldenReductions : nn::Module {
  nn::Linear fc{3, 4};
  TEFF_MODULE(GoldenReductions, fc)
  GoldenReductions() {
    const NoGradGuard no_grad;
    fc.weight.copy_(arange(-6, 6, 1, {.dtype = DType::float32}).view({4, 3}));
    fc.bias.copy_(tensor<float>({3, -2, 1, 0}));
  }
  std::vector<Tensor> forward_many(std::span<const Tensor> x) override {
    const Tensor y = fc(x[0]).view({x[0].size(0), 2, 2});
    return {amax(y, {1, -1}), amin(y, 2, true), y.argmax(1), max(slice(y, 1, 1, 2))};
  }
};

/// Both kinds of split, one of a size that follows the batch, and both extrema with indices.
struct GoldenResults : GoldenReductions {
  std::string type_name() const override { return "GoldenResults"; }
  std::vector<Tensor> forward_many(std::span<const Tensor> x) override {
    const Tensor y = fc(x[0]);
    const std::vector<Tensor> unequal = split(y, {1, 3}, 1), twice = split(cat({y, y * 2.0}), x[0].size(0));
    const auto [least, where] = min(unequal[1], 1, true);
    return {max(twice[1], 1).indices, least, where, unequal[0]};
  }
};

/// Fully convolutional, resized to sizes of inputs and of results between, and to their half.
struct GoldenSizes : nn::Module {
  nn::Conv2d a{1, 2, 3, {.stride = 2, .padding = 1}}, b{2, 2, 3, {.stride = 2, .padding = 1}};
  TEFF_MODULE(GoldenSizes, a, b)
  GoldenSizes() {
    const NoGradGuard no_grad;
    double value = 0;
    for (const Tensor& parameter : parameters()) parameter.fill_(value = value == 2 ? -1 : value + 1);
  }
  Tensor forward(const Tensor& x) override {
    const Tensor y = a(x), z = interpolate(b(y), {.size = Pair(y.size(2), y.size(3))});
    const Tensor sum = interpolate(y + z, {.size = Pair(x.size(2), x.size(3))}) + x;
    return slice(sum, 3, x.size(3) / 2).view({x.size(0), -1, 2 * x.size(2)});
  }
};

void check_outputs(nn::Module& actual, nn::Module& expected, const Tensor& input) {
  const std::vector<Tensor> a = actual({input}), b = expected({input});
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) CHECK(Value(a[i].detach()) == Value(b[i].detach()));
}

Tensor golden_input() { return arange(0, 128, 1, {.dtype = DType::float32}).view({2, 1, 8, 8}); }

const SaveOptions kOptions{.durable = false, .metadata = {{"written by", "tests/serialize/golden_file_test.cpp"}}};

std::string saved_again(nn::Module& module, const Tensor& input) {
  const TempFile file;
  save_model(module, input, file, kOptions);
  return read_file(file);
}

bool writes_golden() { return std::getenv("TEFF_WRITE_GOLDEN") != nullptr; }

}  // namespace

TEST_CASE("the dict file of version 1 loads, and is what a save writes today") {
  const std::string path = golden("v1_dict.teff");
  if (writes_golden()) save(golden_dict(), path, kOptions);
  for (const bool mmap : {false, true}) {
    const Dict loaded = load(path, {.mmap = mmap});
    CHECK(same(loaded, golden_dict()));
    const Dict& tensors = loaded.at("model_state_dict").as_dict();
    CHECK(tensors.at("weight").as_tensor().is(tensors.at("tied").as_tensor()));
    CHECK(tensors.at("weight").as_tensor().shares_memory_with(tensors.at("flat").as_tensor()));
  }
  CHECK(read_file(path) == saved(golden_dict(), kOptions));
}

TEST_CASE("the model file of version 1 loads, computes and prints as its class does") {
  const std::string path = golden("v1_model.teff");
  GoldenNet net;
  if (writes_golden()) save_model(net, golden_input(), path, kOptions);
  nn::GraphModule loaded = load_model(path);
  CHECK(same(loaded.state_dict(), net.state_dict()));
  CHECK(loaded.is_training());
  std::ostringstream printed, expected;
  printed << loaded;
  expected << net;
  CHECK(printed.str() == expected.str());
  loaded.eval();
  net.eval();
  CHECK(Value(loaded(golden_input())) == Value(net(golden_input())));
}

TEST_CASE("a model file of version 1 with extrema, views and slices keeps its bytes") {
  const std::string path = golden("v1_reductions_model.teff");
  GoldenReductions net;
  const Tensor input = arange(0, 6, 1, {.dtype = DType::float32}).view({2, 3});
  if (writes_golden()) save_model(net, input, path, kOptions);
  nn::GraphModule loaded = load_model(path);
  check_outputs(loaded, net, input);
  std::ostringstream graph;
  graph << loaded.graph();
  CHECK(contains(graph.str(), "%5 max(%4) {'dims': [1, -1], 'keepdim': False} -> float32 [2]\n"
                              "%6 min(%4) {'dims': [2], 'keepdim': True} -> float32 [2, 2, 1]\n"));
  CHECK(saved_again(loaded, input) == read_file(path));
  CHECK(saved_again(net, input) == read_file(path));
}

TEST_CASE("a model file of version 1 with calls of several results, feature 0, keeps its bytes") {
  const std::string path = golden("v1_results_model.teff");
  GoldenResults net;
  const Tensor input = arange(0, 6, 1, {.dtype = DType::float32}).view({2, 3});
  if (writes_golden()) save_model(net, input, path, kOptions);
  nn::GraphModule loaded = load_model(path);
  check_outputs(loaded, net, input);
  CHECK(saved_again(loaded, input) == read_file(path));
  CHECK(saved_again(net, input) == read_file(path));
}

TEST_CASE("a model file of version 1 with free height and width, feature 1, keeps its bytes") {
  const std::string path = golden("v1_sizes_model.teff");
  GoldenSizes net;
  if (writes_golden()) save_model(net, golden_input(), path, kOptions);
  nn::GraphModule loaded = load_model(path);
  CHECK(loaded.inputs()[0].type.shape == Shape{-1, 1, -1, -1});
  for (const Shape& shape : {Shape{2, 1, 8, 8}, {1, 1, 7, 10}, {3, 1, 33, 4}}) {
    check_outputs(loaded, net, arange(0, numel(shape), 1, {.dtype = DType::float32}).view(shape));
  }
  std::ostringstream graph;
  graph << loaded.graph();
  CHECK(contains(graph.str(), "{'dim': 3, 'start': {'size': [0, 3], 'over': 2}, 'end': None, 'step': 1}"));
  CHECK(contains(graph.str(), "{'shape': [{'batch': 1}, -1, {'size': [0, 2], 'times': 2}]}"));
  CHECK(saved_again(loaded, golden_input()) == read_file(path));
  CHECK(saved_again(net, golden_input()) == read_file(path));
}

TEST_CASE("models of files that list no free sizes take any batch, and no other height and width") {
  for (const char* name : {"v1_model.teff", "v1_reductions_model.teff", "v1_results_model.teff"}) {
    CAPTURE(name);
    nn::GraphModule loaded = load_model(golden(name));
    loaded.eval();
    Shape shape = loaded.inputs()[0].type.shape;
    REQUIRE(std::count(shape.begin(), shape.end(), -1) == 1);
    REQUIRE(shape[0] == -1);
    for (const std::int64_t batch : {1, 2, 5}) {
      shape[0] = batch;
      CHECK(loaded({zeros(shape)})[0].size(0) == batch);
      CHECK_NOTHROW(nn::InferenceSession(loaded, {shape}));
    }
    shape[shape.size() - 1] *= 2;
    const std::string text = error_of<ShapeError>([&] { loaded({zeros(shape)}); });
    CHECK(contains(text, "graph: expected as \"input\" float32 [-1, "));
    CHECK(contains(text, "; it was not captured for others"));
    CHECK(error_of<ShapeError>([&] { nn::InferenceSession(loaded, {shape}); }) == text);
  }
}
