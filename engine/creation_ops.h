// SPDX-License-Identifier: MIT
#pragma once

// Part of ops.h: more ways to make tensors; tensor.h has the first ones.

#include <optional>

#include "teff/engine/random.h"
#include "teff/engine/tensor.h"

namespace TEFF_EXPORT teff {

/// `steps` values from start to end, both among them, equally far apart. @throws ValueError for a negative count.
Tensor linspace(double start, double end, Integer steps, const TensorOptions& options = {});
/// base to the power of linspace(start, end, steps).
Tensor logspace(double start, double end, Integer steps, double base = 10, const TensorOptions& options = {});
/// The n x m matrix with 1 on the diagonal.
Tensor eye(Integer n, Integer m, const TensorOptions& options = {});

// Of another tensor's shape and dtype (or the given one).

Tensor empty_like(const Tensor& other, std::optional<DType> dtype = {});
Tensor full_like(const Tensor& other, double value, std::optional<DType> dtype = {});
Tensor rand_like(const Tensor& other, std::optional<DType> dtype = {});
Tensor randn_like(const Tensor& other, std::optional<DType> dtype = {});
/// Integers of [low, high), converted to the dtype.
Tensor randint_like(const Tensor& other, Integer low, Integer high, std::optional<DType> dtype = {});

/// For each row of weights [C] or [N, C] (float32 or float64) n places, each drawn with probability weight / sum of
/// weights: int64 [n] or [N, n]. See multinomial in random.h. The weights are read: refused while a graph is captured.
Tensor multinomial(const Tensor& weights, Integer n, bool replacement = false);
Tensor multinomial(const Tensor& weights, Integer n, bool replacement, Generator& generator);

}  // namespace teff
