// SPDX-License-Identifier: MIT
#include "teff/engine/error_text.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"

namespace teff {
namespace {

void check_channels(std::string_view op, const Tensor& x) {
  if (!x.defined()) ops::fail<TypeError>(op, "a defined input, got an undefined one");
  if (x.dim() < 3) ops::fail<ShapeError>(op, "input [N, C, ...] of at least 3 dimensions, got input ", x.shape());
}

}  // namespace

Tensor local_response_norm(const Tensor& x, Integer size, const LocalResponseNormFuncOptions& options) {
  constexpr const char* kName = "local_response_norm";
  check_channels(kName, x);
  if (size < 1 || size >= ops::kMaxOption)
    ops::fail<ValueError>(kName, "size of at least 1 and below 2^31, got ", size);
  if (x.numel() == 0) return x;
  return detail::with_name(kName, [&] {
    const Tensor squares = (x * x).view({x.size(0), 1, x.size(1), -1});
    const Tensor means = avg_pool2d(pad(squares, {0, 0, size / 2, (size - 1) / 2}), {size, 1}, {.stride = Pair(1)});
    return x / pow(means.view(x.shape()) * options.alpha + options.k, options.beta);
  });
}

}  // namespace teff
