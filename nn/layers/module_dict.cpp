// SPDX-License-Identifier: MIT
#include "teff/nn/layers/module_dict.h"

#include "teff/engine/error.h"
#include "teff/nn/text.h"

namespace teff::nn {

ModuleDict::ModuleDict(std::initializer_list<NamedModule> modules) {
  for (const NamedModule& module : modules) add_item(module);
}

Module& ModuleDict::operator[](std::string_view name) const {
  if (Module* module = find_item(name)) return *module;
  std::string known;
  for (const std::string& key : keys()) known += (known.empty() ? "" : ", ") + detail::quoted(key);
  throw IndexError("ModuleDict: expected a name among (" + known + "), got " + detail::quoted(name));
}

std::vector<std::string> ModuleDict::keys() const {
  std::vector<std::string> names;
  for (const NamedModule& item : items()) names.push_back(item.name);
  return names;
}

}  // namespace teff::nn
