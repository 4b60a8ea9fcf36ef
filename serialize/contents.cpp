// SPDX-License-Identifier: MIT
#include "teff/serialize/contents.h"

namespace teff::serialize {

Value read_value(const Contents& contents, const Value& value) {
  std::vector<Tensor> stand_ins;
  map_tensors(value, [&](const Tensor& tensor) { return stand_ins.emplace_back(tensor); });
  const std::vector<Tensor> tensors = contents.read(stand_ins);
  auto next = tensors.begin();
  return map_tensors(value, [&](const Tensor&) { return *next++; });
}

}  // namespace teff::serialize
