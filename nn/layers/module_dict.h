// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "teff/nn/layers/module_sequence.h"

namespace TEFF_EXPORT teff {
namespace nn {

/// Modules by name, for a forward that picks among them itself:
///
///   nn::ModuleDict heads{{"colour", nn::Linear(8, 3)}, {"shape", nn::Linear(8, 5)}};   // heads["colour"](x)
///
/// Modules may be given as values or as shared pointers, and keep the order in which they are added. It has no forward.
class ModuleDict : public ModuleSequence {
 public:
  ModuleDict() = default;
  ModuleDict(std::initializer_list<NamedModule> modules);

  /// Adds a module at the end. Returns this.
  /// @throws ValueError for a name that is empty, has a dot or is there already; TypeError for a null pointer.
  template <ModuleOrPointer M>
  ModuleDict& add(std::string name, M&& module) {
    add_item({std::move(name), std::forward<M>(module)});
    return *this;
  }

  bool contains(std::string_view name) const { return find_item(name) != nullptr; }
  /// @throws IndexError, with the names that are there, for another one.
  Module& operator[](std::string_view name) const;
  /// The same as its own class. @throws IndexError; TypeError if it is of another class.
  template <class M>
  M& get(std::string_view name) const {
    Module& module = (*this)[name];
    if (auto* found = dynamic_cast<M*>(&module)) return *found;
    throw_wrong_class(std::string(name), module);
  }
  /// The names, in order.
  std::vector<std::string> keys() const;

  TEFF_MODULE(ModuleDict)
};

}  // namespace nn
}  // namespace teff
