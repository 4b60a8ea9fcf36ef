// SPDX-License-Identifier: MIT

// The same elements in another shape or order.

#include <algorithm>
#include <limits>

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/serialize/operators/operator_call.h"

namespace teff::serialize {
namespace {

using Call = OperatorCall;
using Numbers = std::vector<std::int64_t>;

Tensor reshaped(const Call& c) {
  c.ignore("consumed_inputs");
  const Tensor x = c.tensor(0);
  Numbers sizes = c.opset() < 5 ? c.integers("shape") : c.known_integers(1);
  const bool keeps_zero = c.flag("allowzero", false);
  for (std::size_t i = 0; i < sizes.size() && !keeps_zero; ++i) {
    if (sizes[i] == 0) sizes[i] = x.size(i);
  }
  return view(x, list_of(sizes));
}

Tensor flattened(const Call& c) {
  const Tensor x = c.tensor(0);
  const std::int64_t rank = x.dim(), given = c.integer("axis", 1);
  if (given < -rank || given > rank) throw FormatError("expected a dimension as axis, got " + std::to_string(given));
  const std::int64_t axis = given < 0 ? given + rank : given;
  if (axis == 1 && rank > 1) return flatten(x, 1);
  std::int64_t before = 1, after = 1;
  for (std::int64_t i = 0; i < rank; ++i) (i < axis ? before : after) *= x.size(i);
  return view(x, {before, after});
}

Tensor transposed(const Call& c) {
  Numbers order;
  for (std::int64_t i = c.tensor(0).dim(); i-- > 0;) order.push_back(i);
  return permute(c.tensor(0), list_of(c.integers("perm", order)));
}

Tensor unsqueezed(const Call& c) {
  Tensor x = c.tensor(0);
  Numbers axes = c.integers(1, "axes");
  const std::int64_t rank = x.dim() + static_cast<std::int64_t>(axes.size());
  for (std::int64_t& axis : axes) axis = c.axis(axis, rank);
  std::sort(axes.begin(), axes.end());
  for (const std::int64_t axis : axes) x = unsqueeze(x, axis);
  return x;
}

Tensor squeezed(const Call& c) {
  const Tensor x = c.tensor(0);
  Numbers axes = c.integers(1, "axes");
  if (axes.empty() && !c.has(1)) {
    for (std::int64_t i = 0; i < x.dim(); ++i) {
      if (x.size(i) == 1) axes.push_back(i);
    }
  }
  for (std::int64_t& axis : axes) axis = c.axis(axis, x.dim());
  std::sort(axes.rbegin(), axes.rend());
  Tensor result = x;
  for (const std::int64_t axis : axes) {
    if (x.size(axis) != 1) throw ShapeError("expected a dimension of size 1, got " + to_string(x.shape()));
    result = squeeze(result, axis);
  }
  return result;
}

/// Backwards from start to before end.
Tensor sliced_back(const Tensor& x, std::int64_t axis, std::int64_t start, std::int64_t end, std::int64_t step) {
  const std::int64_t size = x.size(axis);
  const auto place = [&](std::int64_t value) {
    return std::clamp(value < 0 ? std::max(value, -size - 1) + size : value, std::int64_t{-1}, size - 1);
  };
  expect_supported(size <= kMaxConstant, "expected at most 65536 elements to turn round, got more");
  Numbers places;
  const std::int64_t last = end < -size ? -1 : place(end);
  for (std::int64_t i = place(start); i > last && places.size() <= static_cast<std::size_t>(size);
       i += std::max(step, -size - 1)) {
    places.push_back(i);
  }
  return index_select(x, axis, teff::tensor(places));
}

Tensor sliced(const Call& c) {
  Tensor x = c.tensor(0);
  const bool old = c.opset() < 10;
  const Numbers starts = old ? c.integers("starts") : c.known_integers(1);
  const Numbers ends = old ? c.integers("ends") : c.known_integers(2);
  const Numbers axes = c.integers(3, "axes"), steps = c.has(4) ? c.known_integers(4) : Numbers();
  if (ends.size() != starts.size() || (!axes.empty() && axes.size() != starts.size()) ||
      (!steps.empty() && steps.size() != starts.size())) {
    throw FormatError("expected as many ends, axes and steps as starts, got others");
  }
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const std::int64_t axis = c.axis(axes.empty() ? static_cast<std::int64_t>(i) : axes[i], x.dim());
    const std::int64_t step = steps.empty() ? 1 : steps[i], size = x.size(axis);
    if (step == 0) throw FormatError("expected steps other than 0, got 0");
    if (step < 0) {
      x = sliced_back(x, axis, starts[i], ends[i], step);
    } else {
      const std::int64_t start = std::clamp(starts[i], -size, size), end = std::clamp(ends[i], -size, size);
      if (start == 0 && end == size && step == 1) continue;
      x = slice(x, axis, start, end, std::min(step, std::max(size, std::int64_t{1})));
    }
  }
  return x;
}

TensorList split_up(const Call& c) {
  const Tensor x = c.tensor(0);
  const std::int64_t axis = c.axis(c.integer("axis", 0), x.dim()), size = x.size(axis);
  const auto parts = static_cast<std::int64_t>(c.result_count());
  if (parts == 0) throw FormatError("expected results, got none");
  const std::int64_t named = c.integer("num_outputs", parts);
  if (named != parts) throw FormatError("expected as many results as num_outputs says, got others");
  Numbers sizes = c.integers(1, "split");
  if (sizes.empty()) {
    const std::int64_t each = (size + parts - 1) / parts;
    for (std::int64_t i = 0; i < parts; ++i) sizes.push_back(std::clamp(size - i * each, std::int64_t{0}, each));
  }
  const std::vector<Tensor> pieces = split(x, std::span<const std::int64_t>(sizes), axis);
  return {pieces.begin(), pieces.end()};
}

Tensor concatenated(const Call& c) {
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < c.input_count(); ++i) inputs.push_back(c.tensor(i));
  return cat(inputs, c.integer("axis", 1));
}

/// Sizes of 1, of the tensor or of the shape, follow the other.
Tensor expanded(const Call& c) {
  const Tensor x = c.tensor(0);
  Numbers sizes = c.known_integers(1);
  const auto rank = static_cast<std::int64_t>(sizes.size());
  if (rank < x.dim()) sizes.insert(sizes.begin(), static_cast<std::size_t>(x.dim() - rank), 1);
  for (std::int64_t i = 1; i <= x.dim(); ++i) {
    std::int64_t& size = sizes[sizes.size() - static_cast<std::size_t>(i)];
    if (size == 1) size = x.size(-i);
  }
  const Shape shape = list_of(sizes);
  return shape == x.shape() ? x : expand(x, shape);
}

/// [N, C b b, H, W] <-> [N, C, H b, W b]
Tensor depth_to_space(const Call& c) {
  const Tensor x = c.tensor(0);
  expect_supported(x.dim() == 4, "expected an image [N, C, H, W], got " + to_string(x.shape()));
  const std::int64_t b = c.integer("blocksize", 0), n = x.size(0), h = x.size(2), w = x.size(3);
  if (b < 1 || b > 4096 || x.size(1) % (b * b) != 0) throw FormatError("expected channels for blocks, got others");
  const std::int64_t channels = x.size(1) / (b * b);
  const bool by_channel = c.text("mode", "DCR") == "CRD";
  const Tensor parts = by_channel ? permute(view(x, {n, channels, b, b, h, w}), {0, 1, 4, 2, 5, 3})
                                  : permute(view(x, {n, b, b, channels, h, w}), {0, 3, 4, 1, 5, 2});
  return view(parts, {n, channels, h * b, w * b});
}

Tensor space_to_depth(const Call& c) {
  const Tensor x = c.tensor(0);
  expect_supported(x.dim() == 4, "expected an image [N, C, H, W], got " + to_string(x.shape()));
  const std::int64_t b = c.integer("blocksize", 0), n = x.size(0), channels = x.size(1);
  if (b < 1 || b > 4096 || x.size(2) % b != 0 || x.size(3) % b != 0)
    throw FormatError("expected sizes of whole blocks, got others");
  const std::int64_t h = x.size(2) / b, w = x.size(3) / b;
  return view(permute(view(x, {n, channels, h, b, w, b}), {0, 3, 5, 1, 2, 4}), {n, channels * b * b, h, w});
}

/// {before, after} of the last dimension, then of the one before it, as pad() has them.
Tensor padded(const Call& c) {
  const Tensor x = c.tensor(0);
  Numbers pads = c.opset() < 2 ? c.integers("paddings") : c.opset() < 11 ? c.integers("pads") : c.known_integers(1);
  const auto rank = static_cast<std::size_t>(x.dim());
  if (c.has(3)) {
    const Numbers axes = c.known_integers(3);
    if (pads.size() != 2 * axes.size()) throw FormatError("expected two pads for each axis, got others");
    Numbers all(2 * rank, 0);
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const auto axis = static_cast<std::size_t>(c.axis(axes[i], x.dim()));
      all[axis] = pads[i];
      all[axis + rank] = pads[i + axes.size()];
    }
    pads = std::move(all);
  }
  if (pads.size() != 2 * rank) throw FormatError("expected two pads for each dimension, got others");
  std::size_t first = 0;  // dimension that is padded
  while (first < rank && pads[first] == 0 && pads[first + rank] == 0) ++first;
  if (first == rank) return x;
  expect_supported(rank - first <= kMaxRank / 2, "expected padding of at most 4 dimensions, got more");
  IntList sides;
  for (std::size_t i = rank; i-- > first;) {
    sides.push_back(pads[i]);
    sides.push_back(pads[rank + i]);
  }
  const std::string mode = c.text("mode", "constant");
  const double value = c.opset() < 11 ? c.number("value", 0) : c.has(2) ? c.known_number(2) : 0;
  if (mode == "constant") return pad(x, sides, value);
  if (mode == "edge") return pad(x, sides, PadMode::replicate);
  if (mode == "reflect") return pad(x, sides, PadMode::reflect);
  expect_supported(mode == "wrap", "expected padding constant, edge, reflect or wrap, got " + mode);
  return pad(x, sides, PadMode::circular);
}

constexpr OperatorRow kShapesRows[] = {
    {"Concat", concatenated},  {"DepthToSpace", depth_to_space},
    {"Expand", expanded},      {"Flatten", flattened},
    {"Pad", padded},           {"Reshape", reshaped},
    {"Slice", sliced},         {"SpaceToDepth", space_to_depth},
    {"Split", split_up},       {"Squeeze", squeezed},
    {"Transpose", transposed}, {"Unsqueeze", unsqueezed},
};

}  // namespace

const std::span<const OperatorRow> operators::shapes = kShapesRows;

}  // namespace teff::serialize
