// SPDX-License-Identifier: MIT
#include "teff/serialize/contents.h"

namespace teff::serialize {

Value read_value(const Contents& contents, Value value) {
  std::vector<Tensor> stand_ins;
  for_each_tensor(value, [&](const Value& tensor) { stand_ins.push_back(tensor.as_tensor()); });
  const std::vector<Tensor> tensors = contents.read(stand_ins);
  auto next = tensors.begin();
  for_each_tensor(value, [&](Value& tensor) { tensor = *next++; });
  return value;
}

}  // namespace teff::serialize
