// SPDX-License-Identifier: MIT
#include "teff/serialize/onnx/onnx_call.h"

#include <charconv>

#include "teff/engine/error.h"
#include "teff/serialize/io/place.h"

namespace teff::serialize {
namespace {

/// The number that was meant: 0.1, where the nearest float32 is 0.100000001.
double decimal(float number) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  double result = 0;
  const auto [rest, error] = std::from_chars(digits, end, result);
  return error == std::errc() && rest == end ? result : static_cast<double>(number);
}

template <class List, class Convert>
teff::List list_of_values(const List& values, Convert convert) {
  teff::List list;
  for (const auto& value : values) list.push_back(Value(convert(value)));
  return list;
}

}  // namespace

int OnnxCall::opset() const { return static_cast<int>(network_.model_.opset); }

bool OnnxCall::is_known(std::size_t i) const {
  const Tensor input = maybe(i);
  return input.defined() && (is_constant(input) || network_.parameter(input) != nullptr);
}

Tensor OnnxCall::known(std::size_t i) const {
  const Tensor input = tensor(i);
  if (is_constant(input)) return input;
  if (const OnnxTensor* values = network_.parameter(input)) return network_.constant(*values);
  throw UnsupportedError("expected input " + std::to_string(i) + " (\"" + escaped(node_.inputs[i], 100) +
                         "\") to be known before the network runs, got one that is computed from the values of its "
                         "inputs: make it an initialiser or a constant");
}

Tensor OnnxCall::statistic(std::size_t i) const { return network_.statistic(tensor(i)); }

std::optional<Value> OnnxCall::option(std::string_view name) const {
  using Kind = OnnxAttribute::Kind;
  for (std::size_t i = 0; i < node_.attributes.size(); ++i) {
    const OnnxAttribute& attribute = node_.attributes[i];
    if (attribute.name != name) continue;
    asked_[i] = true;
    switch (attribute.kind) {
      case Kind::real:
        return decimal(attribute.real);
      case Kind::integer:
        return attribute.integer;
      case Kind::text:
        return attribute.text;
      case Kind::reals:
        return list_of_values(attribute.reals, [](float number) { return static_cast<double>(number); });
      case Kind::integers:
        return list_of_values(attribute.integers, [](std::int64_t number) { return number; });
      case Kind::tensor:
        return network_.constant(*attribute.tensor);
      case Kind::texts:
        return list_of_values(attribute.texts, [](const std::string& text) { return text; });
      case Kind::none:
      case Kind::graph:
      case Kind::other:
        break;
    }
    throw UnsupportedError("expected a number, text, list of numbers or tensor as attribute \"" +
                           escaped(attribute.name, 80) + "\", got something else");
  }
  return std::nullopt;
}

void OnnxCall::check_asked() const {
  for (std::size_t i = 0; i < asked_.size(); ++i) {
    if (asked_[i]) continue;
    throw UnsupportedError("expected attributes that Teff knows, got \"" + escaped(node_.attributes[i].name, 80) + '"');
  }
}

}  // namespace teff::serialize
