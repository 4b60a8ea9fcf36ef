// SPDX-License-Identifier: MIT

// Every operation against PyTorch, results and gradients: tests/golden/ops.golden and the files of the families.

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <optional>
#include <set>

#include "engine/composed_functions.h"
#include "engine/golden_indexing.h"
#include "support/golden.h"
#include "support/math_functions.h"
#include "teff/engine/error.h"
#include "teff/engine/op.h"
#include "teff/engine/op_registry.h"
#include "teff/engine/ops.h"
#include "teff/engine/random.h"
#include "teff/engine/testing.h"

using namespace teff;
using namespace teff::testing;

namespace {

using Arguments = std::vector<Tensor>;

std::optional<std::int64_t> optional_int(const Value& value) {
  return value.is_none() ? std::nullopt : std::optional(value.as_int());
}

Reduction reduction(const Dict& attributes) {
  Reduction result{};
  from_string(attributes.at("reduction").as_text(), result);
  return result;
}

/// Functions of ops.h that are made of other operations.
const std::map<std::string, std::function<Tensor(const Arguments&, const Dict&)>> kComposed = {
    {"flatten", [](const Arguments& x,
                   const Dict& a) { return flatten(x[0], a.at("start_dim").as_int(), a.at("end_dim").as_int()); }},
    {"squeeze", [](const Arguments& x, const Dict& a) { return squeeze(x[0], optional_int(a.at("dim"))); }},
    {"unsqueeze", [](const Arguments& x, const Dict& a) { return unsqueeze(x[0], a.at("dim").as_int()); }},
    {"transpose",
     [](const Arguments& x, const Dict& a) { return transpose(x[0], a.at("dim0").as_int(), a.at("dim1").as_int()); }},
    {"select",
     [](const Arguments& x, const Dict& a) { return select(x[0], a.at("dim").as_int(), a.at("index").as_int()); }},
    {"stack", [](const Arguments& x, const Dict& a) { return stack(x, a.at("dim").as_int()); }},
    {"prelu", [](const Arguments& x, const Dict&) { return prelu(x[0], x[1]); }},
    {"conv1d",
     [](const Arguments& x, const Dict& a) {
       return conv1d(x[0], x[1], x[2],
                     {.stride = a.at("stride").as_int(),
                      .padding = a.at("padding").as_int(),
                      .dilation = a.at("dilation").as_int(),
                      .groups = a.at("groups").as_int()});
     }},
    {"cross_entropy",
     [](const Arguments& x, const Dict& a) {
       CrossEntropyOptions options{.reduction = reduction(a)};
       if (x.size() == 3) options.weight = x[2];
       if (const Value* ignored = a.find("ignore_index")) options.ignore_index = ignored->as_int();
       if (const Value* smoothing = a.find("label_smoothing")) options.label_smoothing = smoothing->as_float();
       return cross_entropy(x[0], x[1], options);
     }},
    {"weighted_binary_cross_entropy",
     [](const Arguments& x, const Dict& a) {
       return binary_cross_entropy(x[0], x[1], {.weight = x[2], .reduction = reduction(a)});
     }},
    {"weighted_binary_cross_entropy_with_logits",
     [](const Arguments& x, const Dict& a) {
       return binary_cross_entropy_with_logits(x[0], x[1],
                                               {.weight = x[2], .pos_weight = x[3], .reduction = reduction(a)});
     }},
};

TensorList compute(const std::string& name, const Dict& attributes, const Arguments& inputs) {
  const auto composed = kComposed.find(name);
  if (composed != kComposed.end()) return {composed->second(inputs, attributes)};
  const auto math = math_functions().find(name);
  if (math != math_functions().end()) return {math->second(inputs, attributes)};
  const auto moving = indexing_functions().find(name);
  if (moving != indexing_functions().end()) return moving->second(inputs, {attributes});
  const auto of_volumes = functions_of_volumes().find(name);
  if (of_volumes != functions_of_volumes().end()) return of_volumes->second(inputs, attributes);
  const auto rare = rare_functions().find(name);
  if (rare != rare_functions().end()) return rare->second(inputs, attributes);
  return apply_all(make_op(name, attributes), inputs);
}

/// What a case says of its results: the entry `one`, or a dict under `one` + 's' with the numbers of the results.
std::map<std::size_t, Tensor> by_result(const Dict& entries, const std::string& one) {
  std::map<std::size_t, Tensor> tensors;
  if (const Value* value = entries.find(one)) tensors.emplace(0, value->as_tensor());
  const Value* several = entries.find(one + 's');
  if (several == nullptr) return tensors;
  for (const DictItem& item : several->as_dict()) tensors.emplace(std::stoul(item.key), item.value.as_tensor());
  return tensors;
}

/// The cases in another precision: floating-point tensors as `dtype`.
struct Precision {
  DType dtype;
  Tolerance tolerance;

  Tensor operator()(const Tensor& tensor) const {
    return tensor.dtype() == DType::float64 ? tensor.to(dtype).clone() : tensor;
  }
  Dict operator()(Dict attributes) const {
    Value* target = attributes.find("dtype");  // of the operation `to`
    if (target != nullptr && target->as_text() == "float64") *target = to_string(dtype);
    return attributes;
  }
  void compare(const char* what, const Tensor& actual, const Tensor& expected) const {
    INFO(what);
    Tolerance allowed = is_floating_point(expected.dtype()) ? tolerance : Tolerance{0, 0};
    allowed.equal_nan = true;
    CHECK_NOTHROW(assert_close(actual, (*this)(expected), allowed));
  }
};

void check_gradients(const Precision& as, const Dict& entries, const Arguments& inputs, const TensorList& outputs) {
  const std::map<std::size_t, Tensor> grads = by_result(entries, "grad");
  for (std::size_t i = 0; i < outputs.size(); ++i) CHECK(outputs[i].requires_grad() == grads.contains(i));
  if (grads.empty()) return;
  for (const auto& [i, grad] : grads) outputs[i].backward(as(grad), {.retain_graph = true});
  const Value* gradients = entries.find("gradients");
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::string key = std::to_string(i);
    const Value* expected = gradients == nullptr ? nullptr : gradients->as_dict().find(key);
    if (expected == nullptr) continue;
    INFO("gradient of input ", i);
    REQUIRE(inputs[i].grad().defined());
    as.compare("gradient", inputs[i].grad(), expected->as_tensor());
  }
}

void check_case(const Dict& entries, const Precision& as) {
  const Value* gradients = entries.find("gradients");
  Arguments inputs;
  for (const DictItem& item : entries.at("inputs").as_dict()) {
    Tensor input = as(item.value.as_tensor());
    if (gradients != nullptr && gradients->as_dict().contains(item.key)) input.requires_grad_();
    inputs.push_back(std::move(input));
  }
  const Value* attributes = entries.find("attributes");
  if (const Value* seed = entries.find("seed")) manual_seed(static_cast<std::uint64_t>(seed->as_int()));
  const TensorList outputs =
      compute(entries.at("op").as_text(), attributes == nullptr ? Dict() : as(attributes->as_dict()), inputs);
  const std::map<std::size_t, Tensor> expected = by_result(entries, "output");
  REQUIRE(outputs.size() == expected.size());
  for (const auto& [i, tensor] : expected) as.compare("output", outputs[i], tensor);
  check_gradients(as, entries, inputs, outputs);
  if (const Value* after = entries.find("after")) {
    for (const DictItem& item : after->as_dict()) {
      as.compare("an input after the call", inputs[static_cast<std::size_t>(std::stoi(item.key))],
                 item.value.as_tensor());
    }
  }
}

std::vector<GoldenCase> all_cases() {
  std::vector<GoldenCase> cases = read_golden("ops.golden");
  for (const char* file :
       {"layers.golden", "math.golden", "indexing.golden", "sequence.golden", "volumes.golden", "rare.golden"}) {
    for (GoldenCase& one : read_golden(file)) cases.push_back(std::move(one));
  }
  return cases;
}

void check_all(const Precision& as) {
  for (const GoldenCase& one : all_cases()) {
    INFO(one.name);
    CHECK_NOTHROW(check_case(one.entries, as));
  }
}

}  // namespace

TEST_SUITE("golden") {
  TEST_CASE("every operation gives PyTorch's results and gradients in float64") {
    check_all({DType::float64, {1e-8, 1e-9}});
  }

  TEST_CASE("every operation gives PyTorch's results and gradients in float32") {
    check_all({DType::float32, {2e-5, 1e-5}});
  }

  TEST_CASE("every registered operation has golden numbers") {
    std::set<std::string> covered;
    for (const GoldenCase& one : all_cases()) covered.insert(one.entries.at("op").as_text());
    for (const std::string& name : registered_ops()) {
      INFO(name);
      CHECK((covered.contains(name) || name.starts_with("test_")));  // ops that other tests register
    }
  }
}
