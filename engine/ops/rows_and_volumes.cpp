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

void ops::check_volumes(std::string_view op, const Shape& shape) {
  const bool fits = shape.size() == 5 && std::all_of(shape.begin() + 1, shape.end(),
                                                     [](std::int64_t size) { return size > 0 && size < kMaxOption; });
  if (!fits) fail<ShapeError>(op, "input [N, C, D, H, W], all but N from 1 to 2^31, got input ", shape);
}

void ops::check_sides(std::string_view op, std::string_view option, const IntList& sides, std::int64_t least) {
  const bool fits = sides.size() == 3 && std::all_of(sides.begin(), sides.end(), [=](std::int64_t side) {
                      return side >= least && side < kMaxOption;
                    });
  if (!fits) fail<ValueError>(op, option, " {depth, height, width} from ", least, " to 2^31, got ", sides);
}

Tensor ops::as_volumes(std::string_view op, const Tensor& x, std::size_t rank) {
  check_layout(op, "input", x, rank, rank == 3 ? "[N, C, L]" : rank == 4 ? "[N, C, H, W]" : "[N, C, D, H, W]");
  Tensor volumes = x;
  for (; rank < 5; ++rank) volumes = unsqueeze(volumes, 2);
  return volumes;
}

std::int64_t ops::volume_of(const Shape& shape) { return shape[2] * shape[3] * shape[4]; }

std::string to_string(const Triple& triple) {
  return ops::text('(', triple.depth, ", ", triple.height, ", ", triple.width, ')');
}

}  // namespace teff
