// SPDX-License-Identifier: MIT
#pragma once

#include "teff/nn/layers/module_sequence.h"

namespace TEFF_EXPORT teff {
namespace nn {

/// Modules under the names "0", "1", ..., for a forward that picks among them itself:
///
///   nn::ModuleList blocks{Block(16), Block(32)};   // blocks[0](x)
///
/// Modules may be given as values or as shared pointers; elements as in ModuleSequence. It has no forward. A
/// ModuleList alone in the braces of another is copied: write ModuleList().append(inner) there.
class ModuleList : public ModuleSequence {
 public:
  ModuleList() = default;
  template <ModuleOrPointer... M>
  requires(sizeof...(M) > 1 ||
           (!std::same_as<std::remove_cvref_t<M>, ModuleList> && ...)) explicit ModuleList(M&&... modules) {
    (append(std::forward<M>(modules)), ...);
  }

  /// Adds a module at the end. Returns this. @throws TypeError for a null pointer.
  template <ModuleOrPointer M>
  ModuleList& append(M&& module) {
    add_item({next_name(), std::forward<M>(module)});
    return *this;
  }

  TEFF_MODULE(ModuleList)
};

}  // namespace nn
}  // namespace teff
