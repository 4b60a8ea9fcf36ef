// SPDX-License-Identifier: MIT
#include "serialize/file_fixture.h"
#include "serialize/sample_models.h"
#include "support/temp_file.h"
#include "teff/serialize/file.h"

using namespace teff;
using namespace teff::testing;

namespace {

/// The file with other bytes for the elements of an entry, and right checksums.
std::string with_elements(std::string file, const std::string& entry, const Tensor& values) {
  const std::string before = file;
  for (const FileEntry& one : File(std::as_bytes(std::span(before))).entries()) {
    if (one.path != entry) continue;
    const std::string elements(static_cast<const char*>(values.raw_data()), values.nbytes());
    REQUIRE(elements.size() == one.bytes);
    file.replace(*one.offset, elements.size(), elements);
    const std::size_t place = file.find(word(*one.checksum));
    REQUIRE(place != std::string::npos);
    file.replace(place, 8, word(xxh3(elements)));
  }
  return repaired(file);
}

std::string refusal_by_test(const std::string& file) {
  try {
    load_model(std::as_bytes(std::span(file)), {.self_test = true});
  } catch (const FormatError& error) {
    return error.what();
  }
  return "loaded";
}

/// A linear layer with weights that make its outputs for ones: 1 and 3.
std::string linear_file() {
  nn::Sequential net{nn::Linear(2, 2)};
  net.load_state_dict({{"0.weight", tensor({0.5f, 0.5f, 1.f, 2.f}).view({2, 2})}, {"0.bias", zeros({2})}});
  return saved_model(net, ones({1, 2}));
}

}  // namespace

TEST_CASE("the self-test in a file is replayed on request") {
  Net net;
  Regularised regularised;
  CHECK(refusal_by_test(saved_model(net, randn({4, 3, 32, 32}))) == "loaded");
  CHECK(refusal_by_test(saved_model(regularised, randn({4, 1, 8, 8}))) == "loaded");
  CHECK(refusal_by_test(linear_file()) == "loaded");
}

TEST_CASE("a model that does not give the outputs of its file is refused, with output, place and numbers") {
  const std::string file = with_elements(linear_file(), "self_test/outputs[0]", tensor({1.f, 3.25f}));
  CHECK(refusal_by_test(file) ==
        "load_model: memory: self-test: output 0 (\"linear\") at [0, 1]: expected 3.25, got 3");
  CHECK_NOTHROW(load_model(std::as_bytes(std::span(file))));
}

TEST_CASE("the self-test allows for rounding, and for nothing else") {
  const auto with_outputs = [](float first, float second) {
    return refusal_by_test(with_elements(linear_file(), "self_test/outputs[0]", tensor({first, second})));
  };
  CHECK(with_outputs(1.0002f, 3) == "loaded");
  CHECK(with_outputs(1.0004f, 3) != "loaded");
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  CHECK(with_outputs(nan, 3) == "load_model: memory: self-test: output 0 (\"linear\") at [0, 0]: expected nan, got 1");
  CHECK(with_outputs(inf, 3) == "load_model: memory: self-test: output 0 (\"linear\") at [0, 0]: expected inf, got 1");
  const std::string inputs = with_elements(linear_file(), "self_test/inputs[0]", tensor({inf, 1.f}));
  CHECK(contains(refusal_by_test(inputs), "expected 1, got inf"));
}

TEST_CASE("integers in the self-test must be equal") {
  struct Classes : nn::Module {
    nn::Linear fc{2, 3};
    TEFF_MODULE(Classes, fc)
    Tensor forward(const Tensor& x) override { return fc(x).argmax(1); }
  } classes;
  const std::string file = saved_model(classes, randn({2, 2}));
  CHECK(refusal_by_test(file) == "loaded");
  const std::string other = with_elements(file, "self_test/outputs[0]", tensor<std::int64_t>({7, 7}));
  CHECK(contains(refusal_by_test(other), "self-test: output 0 (\"argmax\") at [0]: expected 7, got "));
}

TEST_CASE("inputs and outputs keep their names in the file") {
  Net net;
  const TempFile file;
  save_model(net, randn({2, 3, 32, 32}), file, {.input_names = {"image"}, .output_names = {"scores"}});
  const nn::GraphModule model = load_model(file);
  CHECK(model.inputs() == std::vector<nn::GraphPort>{{"image", {{-1, 3, 32, 32}, DType::float32}}});
  CHECK(model.outputs() == std::vector<nn::GraphPort>{{"scores", {{-1, 10}, DType::float32}}});
  CHECK(error_of<ValueError>([&] {
          save_model(net, randn({2, 3, 32, 32}), file, {.output_names = {"a", "b"}});
        }) == "rename_ports: expected 1 names of outputs, got 2");
}

TEST_CASE("a loaded model is a child of a larger one, which is saved and loaded whole") {
  manual_seed(0);
  Regularised original;
  const Tensor input = randn({2, 1, 8, 8});
  const TempFile file;
  save_model(original, input, file);
  struct Larger : nn::Module {
    nn::GraphModule backbone;
    nn::Linear head{3, 2};
    explicit Larger(nn::GraphModule graph) : backbone(std::move(graph)) {}
    TEFF_MODULE(Larger, backbone, head)
    Tensor forward(const Tensor& x) override { return head(backbone(x)); }
  } larger(load_model(file));
  save_model(larger, input, file);
  nn::GraphModule loaded = load_model(file, {.self_test = true});
  CHECK(same(loaded.state_dict(), larger.state_dict()));
  CHECK(loaded.state_dict().contains("backbone.norm.running_mean"));
  larger.eval();
  loaded.eval();
  CHECK(Value(loaded(input).detach()) == Value(larger(input).detach()));
}
