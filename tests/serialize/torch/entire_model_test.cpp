// SPDX-License-Identifier: MIT

// Modules that Python pickled whole, as networks: tests/golden/make_entire_golden.py.

#include <doctest/doctest.h>

#include <set>
#include <sstream>
#include <string>

#include "serialize/torch/golden_fixture.h"
#include "serialize/torch/zip_fixture.h"
#include "teff/engine/testing.h"
#include "teff/serialize/modules/layer_code.h"
#include "teff/teff.h"

using namespace teff;
using namespace teff::testing;

namespace {

std::string entire_path(const std::string& name) { return TEFF_GOLDEN_DIR "/entire/" + name; }

std::string entire_text(const nn::Module& module) {
  std::ostringstream text;
  text << module << '\n';
  return text.str();
}

/// Prints as in Python, has the state dict that load gives, and gives PyTorch's outputs for all inputs in golden.pt.
void check_entire(const std::string& name, const LoadOptions& options = {}) {
  CAPTURE(name);
  const std::string path = entire_path(name + ".pt");
  nn::GraphModule net = load_model(path, options);
  CHECK(entire_text(net) == read_file(entire_path(name + ".txt")));
  CHECK(net.state_dict() == load(path));
  CHECK_FALSE(net.is_training());
  const Dict golden = load(entire_path("golden.pt"));
  const NoGradGuard no_grad;
  int inputs = 0;
  for (; golden.contains(name + '.' + std::to_string(inputs) + ".y"); ++inputs) {
    const std::string key = name + '.' + std::to_string(inputs);
    std::vector<Tensor> x{golden.at(key + ".x0").as_tensor()};
    if (golden.contains(key + ".x1")) x.push_back(golden.at(key + ".x1").as_tensor());
    const auto y = net(std::span<const Tensor>(x));
    assert_close(y[0], golden.at(key + ".y").as_tensor(), {1e-5, 1e-6});
    for (std::size_t i = 1; i < y.size(); ++i) {
      assert_close(y[i], golden.at(key + ".y" + std::to_string(i)).as_tensor(), {1e-5, 1e-6});
    }
    CHECK_FALSE(golden.contains(key + ".y" + std::to_string(y.size())));
  }
  CHECK(inputs > 0);
}

void add_types(const nn::ModuleSummary& summary, std::set<std::string>& types) {
  types.insert(summary.type_name);
  for (const nn::ModuleSummary& child : summary.children) add_types(child, types);
}

InterpolateMode resize_mode(const std::string& name) {
  InterpolateMode mode = InterpolateMode::nearest;
  from_string(name, mode);
  return mode;
}

// Pickles of modules, put together by hand.

std::string linear_state() {
  TensorPart weight;
  weight.sizes = "K\x01K\x02\x86";
  weight.strides = "K\x02K\x01\x86";
  return dict(text("weight") + tensor_pickle(weight));
}

std::string object_named(const std::string& name, const std::string& parameters, const std::string& children,
                         const std::string& more) {
  const std::size_t dot = name.rfind('.');
  return global(name.substr(0, dot), name.substr(dot + 1)) + ")\x81" +
         dict(text("_parameters") + parameters + text("_buffers") + "}" + text("_modules") + children + more) + "b";
}

std::string layer_named(const std::string& name, const std::string& more = "") {
  return object_named("torch.nn.modules." + name, "}", "}", more);
}

std::string sequential_of(const std::string& children, const std::string& more = "") {
  return object_named("torch.nn.modules.container.Sequential", "}", children, more);
}

std::string linear_layer(const std::string& more = "") {
  return object_named("torch.nn.modules.linear.Linear", linear_state(), "}", more);
}

nn::GraphModule load_pickled(const std::string& object) {
  const std::string bytes = pt_of(kProto + object + '.');
  return load_model(std::as_bytes(std::span(bytes)));
}

std::string refusal_of(const std::string& object) {
  try {
    static_cast<void>(load_pickled(object));
  } catch (const UnsupportedError& error) {
    return error.what();
  }
  return "";
}

void check_mentions(const std::string& text, const std::string& part) {
  CAPTURE(text);
  CAPTURE(part);
  CHECK(text.find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("a pickled tree of PyTorch's layers is a network that prints and computes as in Python") {
  check_entire("features");
  check_entire("rows");
  check_entire("images", {.input_types = {{{2, 4, 8, 12}, DType::float32}}});
  check_entire("volumes", {.input_types = {{{2, 1, 5, 6, 5}, DType::float32}}});
  check_entire("words");
}

TEST_CASE("a layer alone is a network") {
  check_entire("bags");
  check_entire("bilinear");
  check_entire("double");
}

TEST_CASE("recurrent layers and encoders are networks, of all outputs") {
  check_entire("lstm", {.input_types = {{{5, 2, 3}, DType::float32}}});
  check_entire("gru", {.input_types = {{{2, 5, 3}, DType::float32}}});
  check_entire("rnn");
  check_entire("cell");
  check_entire("encoder", {.input_types = {{{3, 2, 4}, DType::float32}}});
}

TEST_CASE("files of PyTorch before 1.6 are networks too") {
  check_entire("legacy1");
  check_entire("legacy4");
}

TEST_CASE("what old versions of PyTorch did not write has PyTorch's defaults") {
  nn::GraphModule net = load_model(entire_path("old.pt"));
  const Dict golden = load(entire_path("golden.pt"));
  assert_close(net(golden.at("old.0.x0").as_tensor()), golden.at("old.0.y").as_tensor(), {1e-5, 1e-6});
  CHECK_FALSE(net.state_dict().contains("1.num_batches_tracked"));
}

TEST_CASE("what stands in several places is one, also within DataParallel") {
  check_entire("tied");
  const nn::GraphModule net = load_model(entire_path("tied.pt"));
  CHECK(net.parameters().size() == 3);
  CHECK(net.state_dict().at("module.0.weight").as_tensor().is(net.state_dict().at("module.4.weight").as_tensor()));
}

TEST_CASE("every layer that has code is in a golden network") {
  std::set<std::string> types;
  for (const char* name : {"features", "rows", "images", "volumes", "words", "bags", "bilinear", "trained", "tied",
                           "lstm", "gru", "rnn", "cell", "encoder"}) {
    add_types(File(entire_path(std::string(name) + ".pt")).modules().at(0).summary, types);
  }
  std::size_t classes = 0;
  for (const char* file : {"activation", "batchnorm", "channelshuffle", "container", "conv", "dropout", "flatten",
                           "fold", "instancenorm", "linear", "normalization", "padding", "pixelshuffle", "pooling",
                           "rnn", "sparse", "transformer", "upsampling"}) {
    CAPTURE(file);
    const std::string code =
        serialize::layer_code("code/__torch__/torch/nn/modules/" + std::string(file) + ".py").value();
    constexpr std::string_view kClass = "\nclass ";
    for (std::size_t at = code.find(kClass); at != code.npos; at = code.find(kClass, at + 1), ++classes) {
      const std::size_t name = at + kClass.size();
      const std::string type = code.substr(name, code.find('(', name) - name);
      CAPTURE(type);
      CHECK(types.contains(type));
      CHECK(serialize::has_layer("torch.nn.modules." + std::string(file) + '.' + type));
    }
  }
  CHECK(classes > 100);
}

TEST_CASE("a pickled network trains as in PyTorch, in the mode that it was saved in") {
  nn::GraphModule net = load_model(entire_path("trained.pt"));
  CHECK(net.is_training());
  const Dict golden = load(entire_path("golden.pt"));
  const Tensor losses = golden.at("trained.losses").as_tensor(), x = golden.at("trained.x").as_tensor();
  optim::SGD optimizer(net.parameters(), {.lr = 0.1});
  for (std::int64_t step = 0; step < losses.numel(); ++step) {
    optimizer.zero_grad();
    const Tensor y = net(x), loss = mean(y * y);
    loss.backward();
    optimizer.step();
    CHECK(loss.item<double>() == doctest::Approx(select(losses, 0, step).item<double>()).epsilon(1e-5));
  }
  CHECK(net.state_dict().at("1.num_batches_tracked") == Value(scalar_tensor<std::int64_t>(5)));
}

TEST_CASE("layers in different modes are taken in evaluation mode") {
  const std::string trains = text("training") + "\x88", rests = text("training") + "\x89";
  CHECK(load_pickled(sequential_of(dict(text("0") + linear_layer(trains)), trains)).is_training());
  CHECK_FALSE(load_pickled(sequential_of(dict(text("0") + linear_layer(rests)), trains)).is_training());
}

TEST_CASE("batch, and what the layers leave open, are free sizes") {
  const nn::GraphModule rows = load_model(entire_path("rows.pt"));
  CHECK(rows.inputs()[0].type.shape == Shape({-1, 2, -1}));
  CHECK(rows.inputs()[0].name == "input");
  const nn::GraphModule words = load_model(entire_path("words.pt"));
  CHECK(words.inputs()[0].type == TensorType{{-1, -1}, DType::int64});
}

TEST_CASE("an empty Sequential gives its input") {
  nn::GraphModule net = load_pickled(sequential_of("}"));
  const Tensor x = counted(0, {2, 3, 4, 5});
  CHECK(Value(net(x)) == Value(x));
}

TEST_CASE("classes that are not PyTorch's layers are refused by their names") {
  const std::string one = refusal_of(object_named("models.Net", "}", "}", ""));
  check_mentions(one, "got one of models.Net: ");
  check_mentions(one, "Use load for its state dict");
  const std::string two = refusal_of(sequential_of(
      dict(text("0") + object_named("my.Block", "}", "}", "") + text("1") + layer_named("container.ModuleDict"))));
  check_mentions(two, "got one of my.Block, torch.nn.modules.container.ModuleDict: ");
}

TEST_CASE("hooks are refused, and methods of an object's own") {
  std::string text_of_error;
  try {
    static_cast<void>(load_model(entire_path("hooks.pt")));
  } catch (const UnsupportedError& error) {
    text_of_error = error.what();
  }
  check_mentions(
      text_of_error,
      "expected modules without hooks, got \"_forward_pre_hooks\" of the torch.nn.modules.linear.Linear \"0\"");
  const std::string own = text("forward") + global("my", "forward");
  check_mentions(refusal_of(linear_layer(own)), "expected modules with the methods of their classes, got \"forward\"");
}

TEST_CASE("options that Teff's layers lack are refused by name") {
  const std::string size = text("kernel_size") + "K\x02";
  CHECK_NOTHROW(load_pickled(layer_named("pooling.MaxPool2d", size)));
  check_mentions(refusal_of(layer_named("pooling.MaxPool2d", size + text("return_indices") + "\x88")),
                 "in the torch.nn.modules.pooling.MaxPool2d: expected a value of return_indices that Teff knows");
  const auto embedding = [](const std::string& more) {
    return object_named("torch.nn.modules.sparse.Embedding", linear_state(), "}", more);
  };
  CHECK_NOTHROW(load_pickled(embedding(text("max_norm") + "N")));
  check_mentions(refusal_of(embedding(text("max_norm") + "K\x01")),
                 "torch.nn.modules.sparse.Embedding: expected a value of max_norm");
  check_mentions(refusal_of(embedding(text("sparse") + "\x88")), "value of sparse");
  check_mentions(refusal_of(layer_named("activation.GELU", text("approximate") + text("other"))),
                 "value of approximate");
}

TEST_CASE("resizing knows PyTorch's modes, and a number that is whole or not") {
  const auto resized = [](const std::string& mode, const std::string& more = "") {
    const std::string bytes =
        pt_of(kProto + layer_named("upsampling.Upsample", text("mode") + text(mode) + more) + '.');
    nn::GraphModule net =
        load_model(std::as_bytes(std::span(bytes)), {.input_types = {{{1, 1, 2, 2}, DType::float32}}});
    return net(counted(0, {1, 1, 2, 2}));
  };
  const std::string twice = text("scale_factor") + "K\x02", size = text("size") + "K\x03K\x05\x86";
  for (const char* mode : {"nearest", "nearest-exact", "bilinear", "bicubic", "area"}) {
    CAPTURE(mode);
    const InterpolateOptions by_factor{.scale_factor = 2.0, .mode = resize_mode(mode)};
    const InterpolateOptions by_size{.size = ImageSize(3, 5), .mode = resize_mode(mode)};
    CHECK(Value(resized(mode, twice)) == Value(interpolate(counted(0, {1, 1, 2, 2}), by_factor)));
    CHECK(Value(resized(mode, size)) == Value(interpolate(counted(0, {1, 1, 2, 2}), by_size)));
  }
  CHECK_THROWS_AS(resized("other", twice), FormatError);
  CHECK_THROWS_AS(resized("nearest"), FormatError);
}

TEST_CASE("a module of Python 2, whose names are strings of bytes, is a network") {
  const auto name = [](const std::string& bytes) { return 'U' + number(bytes.size(), 1) + bytes; };
  const auto module = [&](const std::string& type, const std::string& children, const std::string& more) {
    return global("torch.nn.modules." + type.substr(0, type.find('.')), type.substr(type.find('.') + 1)) + ")\x81" +
           dict(name("_parameters") + "}" + name("_buffers") + "}" + name("_modules") + children + more) + "b";
  };
  const std::string relu = module("activation.ReLU", "}", name("inplace") + "\x89" + name("training") + "\x89");
  nn::GraphModule net =
      load_pickled(module("container.Sequential", dict(name("act") + relu), name("training") + "\x89"));
  CHECK(entire_text(net) == "Sequential(\n  (act): ReLU()\n)\n");
  CHECK_FALSE(net.is_training());
}

TEST_CASE("layers that are not well-formed are refused") {
  CHECK_THROWS_WITH_AS(
      load_pickled(layer_named("linear.Linear")),
      "load_model: memory: in the torch.nn.modules.linear.Linear: expected the attribute \"weight\" of "
      "__torch__.torch.nn.modules.linear.Linear, got none",
      FormatError);
  CHECK_THROWS_AS(load_pickled(layer_named("pooling.MaxPool2d")), FormatError);
  CHECK_THROWS_AS(load_pickled(layer_named("pooling.MaxPool2d", text("kernel_size") + text("2"))), FormatError);
  CHECK_THROWS_AS(load_pickled(layer_named("pooling.MaxPool2d", text("kernel_size") + "K\x01K\x02K\x03\x87")),
                  FormatError);
  // Python finds an attribute before the parameter of its name.
  CHECK_THROWS_AS(load_pickled(linear_layer(text("weight") + tensor_pickle())), FormatError);
  CHECK_THROWS_AS(load_pickled(object_named("torch.nn.modules.linear.Linear", linear_state(),
                                            dict(text("more") + layer_named("linear.Identity")), "")),
                  FormatError);
}

TEST_CASE("a file of tensors is refused with what helps, and a module within a checkpoint") {
  CHECK_THROWS_WITH_AS(
      load_pickled(dict(text("a") + tensor_pickle())),
      "load_model: memory: expected a file with an entire model (.teff, ONNX, TorchScript, a whole module of PyTorch), "
      "got a file of torch.save: use load for its tensors, or write torch.jit.trace(model, example) or "
      "torch.jit.script(model) with torch.jit.save",
      FormatError);
  CHECK_THROWS_AS(load_pickled(dict(text("model") + linear_layer())), FormatError);
}

TEST_CASE("a pickled network of many layers loads, and one that unfolds to too many does not") {
  std::string layers;
  for (int i = 0; i < 1000; ++i) layers += text(std::to_string(i)) + layer_named("activation.ReLU");
  CHECK(load_pickled(sequential_of(dict(layers))).graph().nodes.size() > 1000);
  // Each row has the one before it twice: MEMOIZE and BINGET.
  std::string row = layer_named("activation.ReLU") + "q\x01";
  for (char i = 1; i < 40; ++i) {
    row = "(" + row + "1" + sequential_of(dict(text("0") + "h" + i + text("1") + "h" + i)) + "q" +
          static_cast<char>(i + 1);
  }
  CHECK_THROWS_AS(load_pickled(row), FormatError);
}
