// SPDX-License-Identifier: MIT

// Functions on images that are made of other operations.

#include "teff/engine/error_text.h"
#include "teff/engine/indexing_ops.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"

namespace teff {
namespace {

/// Images [..., C, H, W] as [N, C, H, W], and the result with the dimensions in front again.
template <class Function>
Tensor with_images(std::string_view name, const Tensor& x, const Function& function) {
  return detail::with_name(name, [&] {
    if (x.dim() < 3) ops::fail<ShapeError>(name, "images [..., C, H, W], got input ", x.shape());
    if (x.dim() == 4) return function(x);
    Shape front = IntList(std::span(x.shape().begin(), x.shape().size() - 3));
    const Tensor y = function(view(x, {numel(front), x.size(-3), x.size(-2), x.size(-1)}));
    for (const std::int64_t d : {1, 2, 3}) front.push_back(y.size(d));
    return view(y, front);
  });
}

/// The centres of `size` pixels from -1 to 1, or of those at the border at -1 and 1.
Tensor centres(std::int64_t size, bool align_corners, DType dtype) {
  if (size <= 1) return zeros({size}, {.dtype = dtype});
  const double edge = align_corners ? 1 : static_cast<double>(size - 1) / static_cast<double>(size);
  return linspace(-edge, edge, size, {.dtype = dtype});
}

}  // namespace

Tensor pixel_shuffle(const Tensor& x, Integer r) {
  return with_images("pixel_shuffle", x, [&](const Tensor& images) {
    const std::int64_t channels = images.size(1);
    if (r < 1 || r >= 1 << 15 || channels % (r * r) != 0) {
      ops::fail<ShapeError>("pixel_shuffle", "a factor of at least 1 whose square divides the channels of input ",
                            x.shape(), ", got ", r);
    }
    const std::int64_t n = images.size(0), c = channels / (r * r), h = images.size(2), w = images.size(3);
    return view(permute(view(images, {n, c, r, r, h, w}), {0, 1, 4, 2, 5, 3}), {n, c, h * r, w * r});
  });
}

Tensor pixel_unshuffle(const Tensor& x, Integer r) {
  return with_images("pixel_unshuffle", x, [&](const Tensor& images) {
    const std::int64_t n = images.size(0), c = images.size(1), h = images.size(2), w = images.size(3);
    if (r < 1 || r >= 1 << 15 || h % r != 0 || w % r != 0) {
      ops::fail<ShapeError>("pixel_unshuffle", "a factor of at least 1 that divides height and width of input ",
                            x.shape(), ", got ", r);
    }
    const Tensor apart = view(images, {n, c, h / r, r, w / r, r});
    return view(permute(apart, {0, 1, 3, 5, 2, 4}), {n, c * r * r, h / r, w / r});
  });
}

Tensor channel_shuffle(const Tensor& x, Integer groups) {
  return detail::with_name("channel_shuffle", [&] {
    if (x.dim() < 3 || groups < 1 || x.size(1) % groups != 0) {
      ops::fail<ShapeError>("channel_shuffle", "[N, C, ...] with C a multiple of the groups, got input ", x.shape(),
                            " and groups ", groups);
    }
    const Shape apart{x.size(0), groups, x.size(1) / groups, -1};
    if (x.numel() == 0) return x;
    return view(permute(view(x, apart), {0, 2, 1, 3}), x.shape());
  });
}

Tensor affine_grid(const Tensor& theta, const Shape& size, bool align_corners) {
  return detail::with_name("affine_grid", [&] {
    if (theta.dim() != 3 || size.size() != 4 || theta.shape() != Shape{size[0], 2, 3}) {
      ops::fail<ShapeError>("affine_grid", "theta [N, 2, 3] and a size [N, C, H, W], got theta ", theta.shape(),
                            " and size ", size);
    }
    const Shape plane{size[2], size[3]};
    const Tensor x = expand(centres(size[3], align_corners, theta.dtype()), plane),
                 y = expand(unsqueeze(centres(size[2], align_corners, theta.dtype()), 1), plane);
    const Tensor base = view(stack({x, y, ones(plane, {.dtype = theta.dtype()})}, 2), {numel(plane), 3});
    return view(matmul(base, transpose(theta, 1, 2)), {size[0], size[2], size[3], 2});
  });
}

}  // namespace teff
