// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>

#include "teff/nn/layers/module_sequence.h"

namespace TEFF_EXPORT teff {
namespace nn {

/// Passes its input through modules, one after the other:
///
///   nn::Sequential net{nn::Conv2d(3, 6, 5), nn::ReLU(), nn::Flatten()};
///   nn::Sequential named{{"conv", nn::Conv2d(3, 6, 5)}, {"relu", nn::ReLU()}};
///
/// Modules may be given as values or as shared pointers; elements and names as in ModuleSequence. A Sequential in the
/// braces of another is an element of it, but one alone is copied: write Sequential().append(inner) there.
class Sequential : public ModuleSequence {
 public:
  Sequential() = default;
  template <ModuleOrPointer... M>
  requires(sizeof...(M) > 1 ||
           (!std::same_as<std::remove_cvref_t<M>, Sequential> && ...)) explicit Sequential(M&&... modules) {
    (append(std::forward<M>(modules)), ...);
  }
  Sequential(std::initializer_list<NamedModule> modules);

  /// Adds a module at the end. Returns this.
  template <ModuleOrPointer M>
  Sequential& append(M&& module) {
    return add(next_name(), std::forward<M>(module));
  }
  /// @throws ValueError for a name that is empty, has a dot or is there already; TypeError for a null pointer.
  template <ModuleOrPointer M>
  Sequential& add(std::string name, M&& module) {
    add_item({std::move(name), std::forward<M>(module)});
    return *this;
  }

  Tensor forward(const Tensor& input) override;

  TEFF_MODULE(Sequential)
};

}  // namespace nn
}  // namespace teff
