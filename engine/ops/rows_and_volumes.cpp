// SPDX-License-Identifier: MIT
#include "teff/engine/ops/rows_and_volumes.h"

#include <algorithm>

namespace teff {

void ops::check_layout(std::string_view op, std::string_view name, const Tensor& tensor, std::size_t rank,
                       std::string_view dims) {
  if (!tensor.defined()) fail<TypeError>(op, "a defined ", name, ", got an undefined one");
  const Shape& shape = tensor.shape();
  if (shape.size() != rank) fail<ShapeError>(op, name, ' ', dims, ", got ", name, ' ', shape);
  if (std::all_of(shape.begin() + 1, shape.end(), [](std::int64_t size) { return size > 0; })) return;
  fail<ShapeError>(op, name, ' ', dims, " with no dimension but the first empty, got ", name, ' ', shape);
}

void ops::check_triple(std::string_view op, std::string_view option, const Triple& value, std::int64_t least) {
  for (const std::int64_t one : {value.depth, value.height, value.width}) {
    if (one >= least && one < kMaxOption) continue;
    fail<ValueError>(op, option, " of at least ", least, " and below 2^31, got ", to_string(value));
  }
}

std::string to_string(const Triple& triple) {
  return ops::text('(', triple.depth, ", ", triple.height, ", ", triple.width, ')');
}

}  // namespace teff
