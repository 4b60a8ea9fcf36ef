// SPDX-License-Identifier: MIT
#pragma once

// For unit tests of users' operations, layers and models. Not included by <teff/teff.h>.

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "teff/engine/comparison_ops.h"
#include "teff/engine/tensor.h"

namespace TEFF_EXPORT teff {

using Tolerance = CloseOptions;

/// @throws Error that tells how many elements differ, the greatest absolute and relative difference and where, if
/// shape or dtype differ or allclose is false. Default tolerances as torch.testing.assert_close: float32 rtol 1.3e-6,
/// atol 1e-5; float64 rtol 1e-7, atol 1e-7; 0 for integers.
void assert_close(const Tensor& actual, const Tensor& expected);
void assert_close(const Tensor& actual, const Tensor& expected, const Tolerance& tolerance);

struct GradcheckOptions {
  double eps = 1e-6;  // step of the central difference
  double atol = 1e-5;
  double rtol = 1e-3;
};

using GradcheckFunction = std::function<Tensor(std::span<const Tensor>)>;

/// Compares the gradients of sum(function(inputs) * w), for a fixed pattern of weights w, with central differences,
/// for every element of every input that requires grad. Inputs must be float64; the function must be deterministic.
/// @throws Error that names the input, the element and both numbers where they differ; TypeError for inputs that are
/// not float64.
void gradcheck(const GradcheckFunction& function, std::span<const Tensor> inputs, const GradcheckOptions& options = {});
inline void gradcheck(const GradcheckFunction& function, std::initializer_list<Tensor> inputs,
                      const GradcheckOptions& options = {}) {
  gradcheck(function, std::span<const Tensor>(inputs.begin(), inputs.size()), options);
}

/// The same for second derivatives: checks the gradients of what autograd::grad of the function gives with
/// create_graph, with respect to the inputs and to the function's own gradient.
/// @throws Error as gradcheck does, or as autograd::grad for a function that has no second derivative.
void gradgradcheck(const GradcheckFunction& function, std::span<const Tensor> inputs,
                   const GradcheckOptions& options = {});
inline void gradgradcheck(const GradcheckFunction& function, std::initializer_list<Tensor> inputs,
                          const GradcheckOptions& options = {}) {
  gradgradcheck(function, std::span<const Tensor>(inputs.begin(), inputs.size()), options);
}

}  // namespace teff
