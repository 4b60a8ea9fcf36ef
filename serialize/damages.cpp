// SPDX-License-Identifier: MIT
#include "teff/serialize/damages.h"

#include <unordered_map>

#include "teff/serialize/key_path.h"

namespace teff::serialize {

std::vector<FileDamage> named(const std::vector<Damage>& damages, const Contents& contents, std::uint64_t file_bytes) {
  std::vector<FileDamage> result;
  std::unordered_map<std::size_t, const std::string*> reasons;  // by storage
  for (const Damage& damage : damages) {
    if (damage.storage) {
      reasons.emplace(*damage.storage, &damage.reason);
    } else {
      result.push_back({"", damage.reason});
    }
  }
  if (reasons.empty()) return result;
  const auto add_below = [&](const std::string& root, const Dict& dict) {
    for_tensors(dict, max_path_bytes(file_bytes), [&](const std::string& path, const Tensor& tensor) {
      const auto reason = reasons.find(contents.place_of(tensor).storage);
      if (reason != reasons.end()) result.push_back({root + path, *reason->second});
    });
  };
  add_below("metadata: ", contents.metadata);
  add_below("", contents.structure);
  return result;
}

}  // namespace teff::serialize
