// SPDX-License-Identifier: MIT
#pragma once

// Part of ops.h: maxima of windows and where they are: what PyTorch gives with return_indices=True. An index counts the
// values of a channel, row by row and image by image; of equal maxima it is the first. A window that lies in the
// padding alone has the value -infinity and the index -1.

#include <optional>

#include "teff/engine/image_ops.h"
#include "teff/engine/sequence_ops.h"
#include "teff/engine/tensor.h"

namespace TEFF_EXPORT teff {

ValuesAndIndices max_pool1d_with_indices(const Tensor& x, Integer kernel_size,
                                         const MaxPool1dFuncOptions& options = {});
ValuesAndIndices max_pool2d_with_indices(const Tensor& x, const Pair& kernel_size,
                                         const MaxPool2dFuncOptions& options = {});
ValuesAndIndices max_pool3d_with_indices(const Tensor& x, const Triple& kernel_size,
                                         const MaxPool3dFuncOptions& options = {});
ValuesAndIndices adaptive_max_pool1d_with_indices(const Tensor& x, Integer output_size);
ValuesAndIndices adaptive_max_pool2d_with_indices(const Tensor& x, const Pair& output_size);
ValuesAndIndices adaptive_max_pool3d_with_indices(const Tensor& x, const Triple& output_size);

/// Maxima of windows whose places are random: along an axis window i begins at int((i + u) * a) - int(u * a), the last
/// one at size - kernel, with a = (size - kernel) / (output_size - 1) (Graham, 2014). `samples` has the u of each image
/// and channel: [N, C, 2] for width and height, [N, C, 3] for depth, height and width; undefined: they are drawn from
/// the default generator, as in PyTorch.
ValuesAndIndices fractional_max_pool2d_with_indices(const Tensor& x, const Pair& kernel_size, const Pair& output_size,
                                                    const Tensor& samples = {});
ValuesAndIndices fractional_max_pool3d_with_indices(const Tensor& x, const Triple& kernel_size,
                                                    const Triple& output_size, const Tensor& samples = {});

// The way back: images of the given size with each value at its index, and 0 elsewhere.
// @throws IndexError for an index that is not in such an image.

Tensor max_unpool1d(const Tensor& x, const Tensor& indices, Integer output_size);
Tensor max_unpool2d(const Tensor& x, const Tensor& indices, const Pair& output_size);
Tensor max_unpool3d(const Tensor& x, const Tensor& indices, const Triple& output_size);

}  // namespace teff
