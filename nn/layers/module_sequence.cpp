// SPDX-License-Identifier: MIT
#include "teff/nn/layers/module_sequence.h"

#include <algorithm>

#include "teff/engine/error.h"
#include "teff/nn/module_members.h"
#include "teff/nn/text.h"

namespace teff::nn {
namespace {

bool holds(const Module& module, const Module& other) {
  if (&module == &other) return true;
  const auto children = detail::members_of(module).children;
  return std::any_of(children.begin(), children.end(), [&](const auto& child) { return holds(*child.second, other); });
}

}  // namespace

Module& ModuleSequence::operator[](std::int64_t index) const {
  const auto count = static_cast<std::int64_t>(items_.size());
  if (index < -count || index >= count) {
    throw IndexError(type_name() + ": expected an index below its size " + std::to_string(count) + ", got " +
                     std::to_string(index));
  }
  return *items_[static_cast<std::size_t>(index < 0 ? index + count : index)].module;
}

Module* ModuleSequence::find_item(std::string_view name) const {
  for (const NamedModule& item : items_) {
    if (item.name == name) return item.module.get();
  }
  return nullptr;
}

void ModuleSequence::throw_wrong_class(const std::string& place, const Module& module) const {
  throw TypeError(type_name() + ": expected the class that was asked for at " + place + ", got " + module.type_name());
}

void ModuleSequence::visit_members(MemberVisitor& visitor) {
  for (NamedModule& item : items_) visitor(item.name, item.module);
}

void ModuleSequence::add_item(NamedModule item) {
  if (item.module == nullptr) {
    throw TypeError(type_name() + ": expected a module, got a null pointer for " + detail::quoted(item.name));
  }
  if (holds(*item.module, *this)) {
    throw ValueError(type_name() + ": expected modules without this one in them, got one as " +
                     detail::quoted(item.name) + " that holds it");
  }
  const bool valid = !item.name.empty() && item.name.find('.') == std::string::npos;
  detail::expect(valid, type_name(), "a name without a dot", detail::quoted(item.name));
  detail::expect(find_item(item.name) == nullptr, type_name(), "a new name",
                 detail::quoted(item.name) + " a second time");
  items_.push_back(std::move(item));
}

}  // namespace teff::nn
