// SPDX-License-Identifier: MIT
#include "teff/nn/layers/parameter_list.h"

#include <algorithm>

#include "teff/engine/error.h"
#include "teff/nn/text.h"

namespace teff::nn {

void ParameterSequence::visit_members(MemberVisitor& visitor) {
  for (auto& [name, parameter] : items_) visitor(name, parameter);
}

std::string ParameterSequence::extra_repr() const {
  std::string text;
  for (const auto& [name, parameter] : items_) {
    text +=
        (text.empty() ? "  (" : "\n  (") + name + "): Parameter containing: [" + printed_type(parameter) + " of size ";
    for (std::size_t i = 0; i < parameter.shape().size(); ++i) {
      text += (i == 0 ? "" : "x") + std::to_string(parameter.shape()[i]);
    }
    text += ']';
  }
  return text;
}

void ParameterSequence::add_item(std::string name, const Parameter& parameter) {
  if (!parameter.defined()) throw TypeError(type_name() + ": expected a parameter, got an undefined tensor");
  const bool valid = !name.empty() && name.find('.') == std::string::npos;
  detail::expect(valid, type_name(), "a name without a dot", detail::quoted(name));
  const bool is_new = std::none_of(items_.begin(), items_.end(), [&](const Item& item) { return item.first == name; });
  detail::expect(is_new, type_name(), "a new name", detail::quoted(name) + " a second time");
  items_.emplace_back(std::move(name), parameter);
}

ParameterList::ParameterList(std::initializer_list<Tensor> parameters) {
  for (const Tensor& parameter : parameters) append(parameter);
}

ParameterList& ParameterList::append(const Tensor& parameter) {
  add_item(std::to_string(size()), parameter);
  return *this;
}

const Parameter& ParameterList::operator[](Integer index) const {
  const auto count = static_cast<std::int64_t>(size());
  if (index < -count || index >= count) {
    throw IndexError("ParameterList: expected an index below its size " + std::to_string(count) + ", got " +
                     std::to_string(index));
  }
  return items()[static_cast<std::size_t>(index < 0 ? index + count : std::int64_t{index})].second;
}

std::string ParameterList::printed_type(const Tensor& parameter) const {
  return "torch." + std::string(to_string(parameter.dtype()));
}

ParameterDict::ParameterDict(std::initializer_list<std::pair<std::string, Tensor>> parameters) {
  for (const auto& [name, parameter] : parameters) add(name, parameter);
}

ParameterDict& ParameterDict::add(std::string name, const Tensor& parameter) {
  add_item(std::move(name), parameter);
  return *this;
}

bool ParameterDict::contains(std::string_view name) const {
  return std::any_of(items().begin(), items().end(), [&](const Item& item) { return item.first == name; });
}

const Parameter& ParameterDict::operator[](std::string_view name) const {
  std::string known;
  for (const auto& [key, parameter] : items()) {
    if (key == name) return parameter;
    known += (known.empty() ? "" : ", ") + detail::quoted(key);
  }
  throw IndexError("ParameterDict: expected a name among (" + known + "), got " + detail::quoted(name));
}

std::vector<std::string> ParameterDict::keys() const {
  std::vector<std::string> names;
  for (const Item& item : items()) names.push_back(item.first);
  return names;
}

std::string ParameterDict::printed_type(const Tensor& parameter) const {
  return parameter.dtype() == DType::float64 ? "torch.DoubleTensor" : "torch.FloatTensor";
}

}  // namespace teff::nn
