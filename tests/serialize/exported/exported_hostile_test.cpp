// SPDX-License-Identifier: MIT

// Programs of torch.export that nobody has exported: put together by hand.

#include <doctest/doctest.h>

#include <sstream>
#include <string>

#include "serialize/torch/zip_fixture.h"
#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/engine/testing.h"
#include "teff/nn/graph/graph_module.h"
#include "teff/serialize/io/json_tree.h"
#include "teff/serialize/save_load.h"

using namespace teff;

namespace {

/// What stands for ' is ".
std::string json_of(std::string text) {
  for (char& c : text) c = c == '\'' ? '"' : c;
  return text;
}

/// A program of x, float32 [2, 3], and the parameter w, float32 [3], that gives y.
struct ExportedText {
  std::string nodes = "{'target': 'torch.ops.aten.mul.Tensor', 'inputs': [{'name': 'self', 'arg': {'as_tensor': "
                      "{'name': 'x'}}}, {'name': 'other', 'arg': {'as_tensor': {'name': 'p_w'}}}], 'outputs': "
                      "[{'as_tensor': {'name': 'y'}}], 'metadata': {}}";
  std::string sizes = "{'as_int': 2}, {'as_int': 3}";
  std::string output = "{'user_output': {'arg': {'as_tensor': {'name': 'y'}}}}";
  std::string target = "w";
  std::string major = "8";

  std::string text() const {
    return json_of("{'graph_module': {'graph': {'inputs': [], 'outputs': [], 'nodes': [" + nodes +
                   "], 'tensor_values': {'x': " + "{'dtype': 7, 'sizes': [" + sizes +
                   "]}, 'y': {'dtype': 7, 'sizes': [{'as_int': 2}, {'as_int': 3}]}}}, " +
                   "'signature': {'input_specs': [{'parameter': {'arg': {'name': 'p_w'}, 'parameter_name': '" + target +
                   "'}}, {'user_input': {'arg': {'as_tensor': {'name': 'x'}}}}], 'output_specs': [" + output +
                   "]}}, 'schema_version': {'major': " + major + ", 'minor': 2}}");
  }
};

std::string saved_as_torch(const Dict& dict) {
  std::ostringstream stream;
  save(dict, stream, {.format = FileFormat::pytorch});
  return stream.str();
}

std::string exported_zip(const std::string& program) {
  return testing::zip_of({{"serialized_exported_program.json", program},
                          {"serialized_state_dict.pt", saved_as_torch({{"w", tensor({1.f, 2.f, 3.f})}})},
                          {"serialized_constants.pt", saved_as_torch({})}});
}

nn::GraphModule load_exported_text(const std::string& program) {
  const std::string bytes = exported_zip(program);
  return load_model(std::as_bytes(std::span(bytes)));
}

template <class E>
std::string exported_error(const std::string& bytes) {
  try {
    static_cast<void>(load_model(std::as_bytes(std::span(bytes))));
  } catch (const E& error) {
    return error.what();
  } catch (const Error& error) {
    return std::string("another error: ") + error.what();
  }
  return "no error";
}

template <class E>
void check_refused(const ExportedText& text, const std::string& part) {
  const std::string error = exported_error<E>(exported_zip(text.text()));
  CAPTURE(error);
  CHECK(error.find(part) != error.npos);
  CHECK(error.find("another error") == error.npos);
}

std::string node_of(const std::string& target, const std::string& inputs, const std::string& outputs) {
  return "{'target': '" + target + "', 'inputs': [" + inputs + "], 'outputs': [" + outputs + "], 'metadata': {}}";
}

constexpr const char* kX = "{'name': 'self', 'arg': {'as_tensor': {'name': 'x'}}}";
constexpr const char* kY = "{'as_tensor': {'name': 'y'}}";

/// x times what is computed of numbers.
ExportedText with_number(const std::string& function, const std::string& a, const std::string& b) {
  ExportedText text;
  text.nodes = node_of("_operator." + function, "{'name': 'a', 'arg': {" + a + "}}, {'name': 'b', 'arg': {" + b + "}}",
                       "{'as_sym_int': {'as_name': 'n'}}") +
               ", " +
               node_of("torch.ops.aten.mul.Tensor",
                       std::string(kX) + ", {'name': 'other', 'arg': {'as_sym_int': {'as_name': 'n'}}}", kY);
  return text;
}

double factor_of(const std::string& function, const std::string& a, const std::string& b) {
  nn::GraphModule net = load_exported_text(with_number(function, a, b).text());
  return net(ones({2, 3})).mean().item<double>();
}

}  // namespace

TEST_CASE("a program in a zip is loaded, and its batch is free where the outputs follow it") {
  nn::GraphModule net = load_exported_text(ExportedText().text());
  assert_close(net(ones({1, 3})), tensor({{1.f, 2.f, 3.f}}));
  CHECK(net.inputs()[0].type.shape == Shape{-1, 3});
}

TEST_CASE("functions of numbers are those of Python") {
  CHECK(factor_of("floordiv", "'as_int': -7", "'as_int': 2") == -4);
  CHECK(factor_of("mod", "'as_int': -7", "'as_int': 3") == 2);
  CHECK(factor_of("truediv", "'as_int': 7", "'as_int': 2") == 3.5);
  CHECK(factor_of("pow", "'as_int': -3", "'as_int': 3") == -27);
  CHECK(factor_of("sub", "'as_float': 2.5", "'as_int': 1") == 1.5);
  check_refused<FormatError>(with_number("mul", "'as_int': 4611686018427387904", "'as_int': 2"), "of 64 bits");
  check_refused<FormatError>(with_number("floordiv", "'as_int': 1", "'as_int': 0"), "a divisor that is not 0");
  check_refused<FormatError>(with_number("floordiv", "'as_int': -9223372036854775808", "'as_int': -1"), "of 64 bits");
  check_refused<FormatError>(with_number("pow", "'as_int': 3", "'as_int': 1000000000000"), "of 64 bits");
  check_refused<FormatError>(with_number("mul", "'as_string': 'x'", "'as_int': 2"), "expected two numbers");
}

TEST_CASE("an exported program that does not hold together is refused, and the node named") {
  ExportedText text;
  text.nodes = node_of("torch.ops.aten.relu.default", "{'name': 'self', 'arg': {'as_tensor': {'name': 'y'}}}", kY);
  check_refused<FormatError>(text, "node \"y\" (torch.ops.aten.relu.default): expected a value that was made before");
  text.nodes = ExportedText().nodes + ", " + ExportedText().nodes;
  check_refused<FormatError>(text, "expected one value of each name, got \"y\" again");
  text.nodes = node_of("torch.ops.aten.sum.default", kX, kY);
  check_refused<FormatError>(text, "expected a result of the shape [2, 3], as the file says, got []");
  text.nodes =
      node_of("torch.ops.aten.relu.default", std::string(kX) + ", {'name': 'mystery', 'arg': {'as_int': 1}}", kY);
  check_refused<UnsupportedError>(text, "expected arguments that Teff knows, got \"mystery\"");
  text.nodes = node_of("torch.ops.mine.relu.default", kX, kY);
  check_refused<UnsupportedError>(text, "got node \"y\" (torch.ops.mine.relu.default)");
  text.nodes = node_of("torch.ops.aten.unbind.int", kX, "{'as_tensors': [{'name': 'y'}]}");
  check_refused<FormatError>(text, "expected names for 2 results, got 1");
}

TEST_CASE("what the signature of an exported program may not say is refused") {
  ExportedText text;
  text.target = "v";
  check_refused<FormatError>(text, "expected a tensor for \"v\" in the file, got none");
  text = {};
  text.major = "7";
  check_refused<UnsupportedError>(text, "expected version 8 of the schema of torch.export");
  text = {};
  text.sizes = "{'as_int': -2}, {'as_int': 3}";
  check_refused<FormatError>(text, "expected a size of at least 0, got -2");
  text.sizes = "{'as_expr': {'expr_str': 's0'}}, {'as_int': 3}";
  check_refused<UnsupportedError>(text, "give LoadOptions::input_types");
  text.sizes = "{'as_int': 1}, {'as_int': 1}, {'as_int': 1}, {'as_int': 1}, {'as_int': 1}, {'as_int': 1}, "
               "{'as_int': 1}, {'as_int': 1}, {'as_int': 1}";
  check_refused<FormatError>(text, "expected at most 8 dimensions");
  text = {};
  text.output = "{'user_input_mutation': {'arg': {'name': 'y'}, 'user_input_name': 'x'}}";
  check_refused<UnsupportedError>(text, "user_input_mutation");
  text.output = "{'buffer_mutation': {'arg': {'name': 'y'}, 'buffer_name': 'w'}}";
  check_refused<UnsupportedError>(text, "got one that changes \"w\"");
  text.output = "{'user_output': {'arg': {'as_int': 3}}}";
  check_refused<UnsupportedError>(text, "expected tensors as outputs, got a number");
  text.output = "";
  check_refused<UnsupportedError>(text, "got one that gives none");
}

TEST_CASE("sizes that an exported program does not know can be given") {
  ExportedText text;
  text.sizes = "{'as_expr': {'expr_str': 's0'}}, {'as_int': 3}";
  const std::string bytes = exported_zip(text.text());
  nn::GraphModule net = load_model(std::as_bytes(std::span(bytes)), {.input_types = {{{4, 3}, DType::float32}}});
  CHECK(net(ones({5, 3})).shape() == Shape{5, 3});
}

TEST_CASE("a zip of torch.export without its parts is refused") {
  const std::string program = ExportedText().text();
  const auto error = [](const std::vector<testing::ZipPart>& parts) {
    return exported_error<FormatError>(testing::zip_of(parts));
  };
  const auto contains = [](const std::string& text, const char* part) { return text.find(part) != text.npos; };
  CHECK(contains(error({{"serialized_exported_program.json", program}}),
                 "expected an entry \"serialized_state_dict.pt\", got none"));
  CHECK(contains(error({{"serialized_exported_program.json", program},
                        {"serialized_state_dict.pt", "PK"},
                        {"serialized_constants.pt", saved_as_torch({})}}),
                 "\"serialized_state_dict.pt\": "));
  CHECK(contains(error({{"m/archive_format", "other"}}), "expected the format \"pt2\" of an archive, got \"other\""));
  CHECK(contains(exported_error<UnsupportedError>(testing::zip_of({{"m/archive_format", "pt2"}})),
                 "expected an archive with a program of torch.export, got one without"));
}

TEST_CASE("tensors of a newer archive lie within their entries") {
  const auto error = [](const std::string& meta) {
    const std::string config = json_of("{'config': {'w': {'path_name': 'weight_0', 'is_param': true, 'use_pickle': "
                                       "false, 'tensor_meta': {'dtype': 7, " +
                                       meta + "}}}}");
    return exported_error<FormatError>(
        testing::zip_of({{"m/archive_format", "pt2"},
                         {"m/models/model.json", ExportedText().text()},
                         {"m/data/weights/weight_0", std::string(12, '\0')},
                         {"m/data/weights/model_weights_config.json", config},
                         {"m/data/constants/model_constants_config.json", json_of("{'config': {}}")}}));
  };
  const std::string offset = ", 'storage_offset': {'as_int': 0}";
  CHECK(error("'sizes': [{'as_int': 3}], 'strides': [{'as_int': 1}]" + offset) == "no error");
  const auto is_refused = [&](const std::string& meta, const char* part) {
    const std::string text = error(meta);
    CAPTURE(text);
    CHECK(text.find(part) != text.npos);
  };
  is_refused("'sizes': [{'as_int': 4}], 'strides': [{'as_int': 1}]" + offset, "expected elements within the storage");
  is_refused("'sizes': [{'as_int': 3}], 'strides': [{'as_int': 1}], 'storage_offset': {'as_int': 1}",
             "expected elements within the storage");
  is_refused("'sizes': [{'as_int': 3}], 'strides': [{'as_int': -1}]" + offset, "expected strides within the storage");
  is_refused(
      "'sizes': [{'as_int': 2}, {'as_int': 2}], 'strides': [{'as_int': 4611686018427387904}, {'as_int': 1}]" + offset,
      "expected strides within the storage");
  is_refused("'sizes': [{'as_int': 3}], 'strides': []" + offset, "expected a stride for each dimension");
}

TEST_CASE("JSON is looked up in any order; a name twice, too deep and what is none are refused") {
  const auto error = [](const std::string& text) -> std::string {
    try {
      const serialize::JsonTree tree(text, 100);
    } catch (const FormatError& refusal) {
      return refusal.what();
    }
    return "no error";
  };
  const serialize::JsonTree tree(R"({"a": [1, -2.5, NaN, "x"], "b": null, "c": {"d": true}})", 0);
  CHECK(tree.root().at("c").at("d").boolean());
  CHECK_FALSE(tree.root().find("b"));
  CHECK_THROWS_AS(static_cast<void>(tree.root().at("a").integer()), FormatError);
  int count = 0;
  tree.root().at("a").each([&](const serialize::JsonValue&) { ++count; });
  CHECK(count == 4);
  CHECK(error(R"({"a": 1, "a": 2})").find("got \"a\" again") != std::string::npos);
  CHECK(error(std::string(70, '[') + std::string(70, ']')).find("at most 64 levels") != std::string::npos);
  CHECK(error("[nul]").find("JSON at offset 104: expected a value, got \"nul\"") != std::string::npos);
  CHECK(error("[1.2.3]").find("expected a value") != std::string::npos);
  CHECK(error("[1] 2").find("expected the end") != std::string::npos);
}
