// SPDX-License-Identifier: MIT

// What is found by an index.

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/serialize/operators/operator_call.h"

namespace teff::serialize {
namespace {

using Call = OperatorCall;

/// Entries of a dimension in the shape of the index. Rows of a matrix are what embedding gives.
Tensor gathered(const Call& c) {
  const Tensor x = c.tensor(0);
  const std::int64_t axis = c.axis(c.integer("axis", 0), x.dim()), size = x.size(axis);
  Tensor index = c.tensor(1);
  if (c.is_known(1)) {
    std::vector<std::int64_t> places = c.known_integers(1);
    for (std::int64_t& place : places) {
      if (place < -size || place >= size) {
        throw IndexError("expected indices of " + std::to_string(size) + " entries, got " + std::to_string(place));
      }
      if (place < 0) place += size;
    }
    if (places.size() == 1 && index.dim() == 0) return select(x, axis, places[0]);
    const Shape shape = index.shape();
    index = teff::tensor(places, shape);
  } else {
    if (index.dtype() != DType::int64) index = to(index, DType::int64);
    index = where(index < 0, index + size, index);
  }
  if (axis == 0 && x.dim() == 2 && is_computable(x.dtype())) return embedding(index, x);
  if (index.dim() == 1) return index_select(x, axis, index);
  Shape shape = x.shape();
  const auto place = static_cast<std::size_t>(axis);
  shape.erase(place);
  for (std::size_t i = index.shape().size(); i-- > 0;) shape.insert(place, index.shape()[i]);
  return view(index_select(x, axis, view(index, {-1})), shape);
}

constexpr OperatorRow kIndexingRows[] = {
    {"Gather", gathered},
};

}  // namespace

const std::span<const OperatorRow> operators::indexing = kIndexingRows;

}  // namespace teff::serialize
