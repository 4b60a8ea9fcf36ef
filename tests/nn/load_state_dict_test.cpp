// SPDX-License-Identifier: MIT
#include "nn/nets.h"

#include <cmath>

#include "golden/nn_golden.h"

using namespace teff;
using namespace teff::nn_testing;

namespace {

/// The dict under other names.
Dict renamed(const Dict& dict, const std::string& prefix) {
  Dict result;
  for (const auto& [key, value] : dict) result.insert(prefix + key, value);
  return result;
}

/// Loading must fail with that text and leave the module as it was.
void check_refused(const Dict& dict, const std::string& text, const LoadStateDictOptions& options = {}) {
  Small net;
  const Dict before = snapshot(net.state_dict());
  CHECK(error_of<StateDictError>([&] { net.load_state_dict(dict, options); }) == text);
  CHECK(net.state_dict() == before);
}

}  // namespace

TEST_CASE("a state dict is copied into the module's own tensors") {
  manual_seed(1);
  Net from, to;
  const Tensor handle = to.fc1.weight;
  const LoadReport report = to.load_state_dict(from.state_dict());
  CHECK(printed(report) == golden::kLoadReport);
  CHECK(report.loaded_keys == golden::kNetKeys);
  CHECK(to.state_dict() == from.state_dict());
  CHECK(handle.is(to.fc1.weight));
  CHECK_FALSE(handle.shares_memory_with(from.fc1.weight));
}

TEST_CASE("all problems are listed in PyTorch's words and nothing changes") {
  Dict state = Small().state_dict();
  state.erase("scale");
  state.erase("bn.weight");
  state["conv.weight"] = zeros({2, 1, 5, 5});
  state["offset"] = zeros({});
  state["head.bias"] = zeros({1});
  state["extra"] = zeros({1});
  state["bn.bias"] = ones({2});  // fits, and must not be written
  check_refused(state, golden::kLoadError);
}

TEST_CASE("what is not a tensor is refused") {
  Dict state = Small().state_dict();
  state["scale"] = 3;
  state["offset"] = Tensor();
  check_refused(state,
                "Error(s) in loading state_dict for Small:\n"
                "\tWhile copying the parameter named \"scale\", expected torch.Tensor or Tensor-like object from "
                "checkpoint but received an integer\n"
                "\tWhile copying the parameter named \"offset\", expected torch.Tensor or Tensor-like object from "
                "checkpoint but received an undefined tensor");
}

TEST_CASE("loading part of a dict reports what did not match") {
  Small net;
  Dict state = snapshot(Small().state_dict());
  state.erase("scale");
  state["extra"] = zeros({1});
  const LoadReport report = net.load_state_dict(state, {.strict = false});
  CHECK(printed(report) == golden::kPartialReport);
  CHECK(report.loaded_keys.size() == 7);
  CHECK(same_bits(net.conv.weight, state.at("conv.weight").as_tensor()));
}

TEST_CASE("a dict of which no key matches is refused even if not strict") {
  check_refused(renamed(Small().state_dict(), "module."),
                "Error(s) in loading state_dict for Small:\n"
                "\tNone of the keys in state_dict matches one of the module. \n"
                "\t8 of 8 keys match without \"module.\" in front: load with {.remove_prefix = \"module.\"}.",
                {.strict = false});
  check_refused({{"something", zeros({1})}},
                "Error(s) in loading state_dict for Small:\n"
                "\tNone of the keys in state_dict matches one of the module. ",
                {.strict = false});
  check_refused({},
                "Error(s) in loading state_dict for Small:\n"
                "\tNone of the keys in state_dict matches one of the module. ",
                {.strict = false});
}

TEST_CASE("a checkpoint is told which of its entries is the state dict") {
  Small net;
  check_refused({{"epoch", 3}, {"optimizer", Dict{{"state", Dict()}}}, {"model_state_dict", net.state_dict()}},
                "Error(s) in loading state_dict for Small:\n"
                "\tNone of the keys in state_dict matches one of the module. \n"
                "\tThe entry \"model_state_dict\" has 8 of the 8 keys: "
                "load_state_dict(dict.at(\"model_state_dict\").as_dict()). ",
                {.strict = false});
}

TEST_CASE("the cure is proposed where keys lack a prefix") {
  struct Wrapper : nn::Module {
    Small net;
    nn::Linear head{1, 1};
    TEFF_MODULE(Wrapper, net, head)
  } wrapper;
  struct Outer : nn::Module {
    Wrapper model;
    TEFF_MODULE(Outer, model)
  } outer;
  const std::string text = error_of<StateDictError>([&] { wrapper.load_state_dict(Small().state_dict()); });
  CHECK(text.find("Missing key(s) in state_dict: \"net.scale\", ") != std::string::npos);
  CHECK(text.ends_with("\n\t8 of 8 keys match with \"net.\" in front: load with {.add_prefix = \"net.\"}."));
  CHECK(error_of<StateDictError>([&] { outer.load_state_dict(Small().state_dict()); })
            .ends_with("\n\t8 of 8 keys match with \"model.net.\" in front: load with {.add_prefix = "
                       "\"model.net.\"}."));
  CHECK(wrapper.load_state_dict(Small().state_dict(), {.strict = false, .add_prefix = "net."}).missing_keys ==
        std::vector<std::string>{"head.weight", "head.bias"});
}

TEST_CASE("prefixes are taken off and put in front") {
  const Dict state = snapshot(Small().state_dict());
  Small net;
  CHECK(printed(net.load_state_dict(renamed(state, "module."), {.remove_prefix = "module."})) == golden::kLoadReport);
  CHECK(net.state_dict() == state);
  // Keys without the prefix stay as they are, as in PyTorch.
  CHECK(net.load_state_dict(state, {.remove_prefix = "module."}).loaded_keys.size() == 8);
  // After rename, and before add_prefix.
  const auto upper = [](const std::string& key) { return "x." + key; };
  CHECK(net.load_state_dict(state, {.rename = upper, .remove_prefix = "x."}).loaded_keys.size() == 8);
  nn::Sequential wrapper{Small()};
  const LoadStateDictOptions options{.remove_prefix = "module.", .add_prefix = "0."};
  CHECK(wrapper.load_state_dict(renamed(state, "module."), options).loaded_keys.size() == 8);
  CHECK(wrapper.get<Small>(0).state_dict() == state);
}

TEST_CASE("renaming two keys alike is refused") {
  Small net;
  const Dict before = snapshot(net.state_dict());
  Dict state = snapshot(net.state_dict());
  state["module.scale"] = zeros({2});
  const auto refusal = [&](const LoadStateDictOptions& options) {
    const std::string text = error_of<StateDictError>([&] { net.load_state_dict(state, options); });
    CHECK(net.state_dict() == before);
    return text;
  };
  CHECK(refusal({.rename = [](const std::string&) {
          return "scale";
        }}).find("renaming gives two keys the name \"scale\"") != std::string::npos);
  CHECK(refusal({.remove_prefix = "module."}).find("renaming gives two keys the name \"scale\"") != std::string::npos);
}

TEST_CASE("a key of many dots costs no time") {
  Dict state;
  for (int i = 0; i < 100; ++i) state.insert(std::to_string(i) + std::string(60000, '.'), zeros({1}));
  check_refused(state,
                "Error(s) in loading state_dict for Small:\n"
                "\tNone of the keys in state_dict matches one of the module. ",
                {.strict = false});
}

TEST_CASE("what has been prepared is carried out later") {
  Small net;
  const Dict before = snapshot(net.state_dict());
  Dict state = snapshot(net.state_dict());
  state["scale"] = tensor<double>({3, 4});
  LoadReport report;
  const Commit commit = net.prepare_load(state, {}, &report);
  CHECK(net.state_dict() == before);
  CHECK(report.converted.size() == 1);
  commit();
  check_values(net.scale, {3, 4});
}

TEST_CASE("values of another dtype are converted and the largest error is reported") {
  Small net;
  Dict state = snapshot(net.state_dict());
  state["scale"] = tensor<double>({1 + 0x1p-30, 0.5});
  state["bn.num_batches_tracked"] = scalar_tensor<std::int32_t>(4);
  const LoadReport report = net.load_state_dict(state);
  REQUIRE(report.converted.size() == 2);
  CHECK(report.converted[0].key == "scale");
  CHECK(report.converted[0].from == DType::float64);
  CHECK(report.converted[0].to == DType::float32);
  CHECK(report.converted[0].largest_error == 0x1p-30);
  CHECK(report.converted[1].largest_error == 0);
  CHECK(net.bn.num_batches_tracked.item<int>() == 4);
  state["scale"] = tensor<double>({1e300, NAN});
  CHECK(std::isinf(net.load_state_dict(state).converted[0].largest_error));
  check_refused(state,
                "Error(s) in loading state_dict for Small:\n"
                "\tdtype mismatch for \"scale\": copying a param with dtype float64 from checkpoint, the dtype in "
                "current model is float32. \n"
                "\tdtype mismatch for \"bn.num_batches_tracked\": copying a param with dtype int32 from checkpoint, "
                "the dtype in current model is int64. ",
                {.convert_dtype = false});
}

TEST_CASE("mis-shaped entries can be left out") {
  Small net;
  const Tensor before = net.conv.weight.clone();
  Dict state = snapshot(net.state_dict());
  state["conv.weight"] = zeros({4, 1, 3, 3});
  state["scale"] = full({2}, 7);
  const LoadReport report = net.load_state_dict(state, {.skip_mismatched_shapes = true});
  REQUIRE(report.mismatched.size() == 1);
  CHECK(report.mismatched[0].loaded == Shape{4, 1, 3, 3});
  CHECK(report.mismatched[0].current == Shape{2, 1, 3, 3});
  CHECK(printed(report) == "_IncompatibleKeys(missing_keys=[], unexpected_keys=[], mismatched_keys=['conv.weight'])");
  CHECK(same_bits(net.conv.weight, before.detach()));
  CHECK(net.scale.detach()[0].item<float>() == 7);
}

TEST_CASE("a dict from before num_batches_tracked starts the count again") {
  Small net;
  net.bn.num_batches_tracked.fill_(5);
  Dict state = snapshot(net.state_dict());
  state.erase("bn.num_batches_tracked");
  CHECK(printed(net.load_state_dict(state)) == golden::kLoadReport);
  CHECK(net.bn.num_batches_tracked.item<int>() == 0);
}

TEST_CASE("a number may be loaded from a vector of one, as PyTorch 0.3 wrote it") {
  Small net;
  Dict state = snapshot(net.state_dict());
  state["bn.num_batches_tracked"] = tensor<std::int64_t>({9});
  net.load_state_dict(state);
  CHECK(net.bn.num_batches_tracked.item<int>() == 9);
}

TEST_CASE("a module's own tensors can be loaded under other names") {
  nn::Sequential net{nn::Linear(2, 2), nn::Linear(2, 2)};
  const Tensor first = net.get<nn::Linear>(0).weight.clone(), second = net.get<nn::Linear>(1).weight.clone();
  const auto swap = [](const std::string& key) { return (key[0] == '0' ? '1' : '0') + key.substr(1); };
  net.load_state_dict(net.state_dict(), {.rename = swap});
  CHECK(same_bits(net.get<nn::Linear>(0).weight, second));
  CHECK(same_bits(net.get<nn::Linear>(1).weight, first));
}

TEST_CASE("control characters of a key do not reach the terminal") {
  Small net;
  Dict state = net.state_dict();
  state["\x1b[2J"] = zeros({1});
  CHECK(error_of<StateDictError>([&] { net.load_state_dict(state); }).find("\"\\x1b[2J\"") != std::string::npos);
}
