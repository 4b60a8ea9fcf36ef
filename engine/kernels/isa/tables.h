// SPDX-License-Identifier: MIT
#pragma once

#include <type_traits>

#include "teff/engine/build.h"

namespace teff::kernels {

/// The kernels of one source for each type that they compute with, as functions of one instruction set. A source ends
/// with them:
///
///     extern constinit const Tables<SoftmaxKernels> softmax_tables =
///         make_tables<SoftmaxKernels>([]<class T>(T) -> SoftmaxKernels<T> {
///           return {.softmax = softmax<T>, .softmax_backward = if_training(softmax_backward<T>)};
///         });
template <template <class> class Kernels>
struct Tables {
  Kernels<float> of_float;
  Kernels<double> of_double;
  bool has_double = false;

  template <class T>
  bool has() const {
    return std::is_same_v<T, float> || has_double;
  }
  template <class T>
  const Kernels<T>& of() const {
    static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>);
    if constexpr (std::is_same_v<T, float>) {
      return of_float;
    } else {
      return of_double;
    }
  }
};

/// Where float64 is compiled: loops over memory are no faster in the widest set than in the one before, products are.
enum class Float64 { in_one_wide_set, in_each_set };

// CMake defines TEFF_HAS_NARROWER_WIDE_SET for a wide set if the build has another.
#ifdef TEFF_HAS_NARROWER_WIDE_SET
constexpr bool kIsOnlyWideSet = false;
#else
constexpr bool kIsOnlyWideSet = true;
#endif

/// What make(T()) gives for each type. The functions of a type that the build leaves out are not even compiled.
template <template <class> class Kernels, Float64 float64 = Float64::in_one_wide_set, class Make>
consteval Tables<Kernels> make_tables(const Make& make) {
  Tables<Kernels> tables{};
  tables.of_float = make(float());
  if constexpr (kHasFloat64 && (kIsOnlyWideSet || float64 == Float64::in_each_set)) {
    tables.of_double = make(double());
    tables.has_double = true;
  }
  return tables;
}

/// A kernel that only training wants: null in a build without it.
template <class Function>
consteval Function* if_training(Function* function) {
  return kHasTraining ? function : nullptr;
}

}  // namespace teff::kernels
