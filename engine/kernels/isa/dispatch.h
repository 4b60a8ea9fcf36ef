// SPDX-License-Identifier: MIT
#pragma once

// Of every kernel there are as many copies as the build has instruction sets, each in a namespace of its own. Only the
// *_kernels.cpp of a family names its tables, so the linker takes the families that a program uses. Which table serves
// is asked here, once.

#include <atomic>
#include <cstddef>

#include "teff/engine/kernels/isa/tables.h"

namespace teff::kernels {

/// The place of the chosen instruction set among those of this build: the widest that the machine has, or the one that
/// the environment variable TEFF_ISA names.
/// @throws ValueError if TEFF_ISA names a set that is unknown or that the machine lacks.
std::size_t chosen_isa();

/// Its name: "baseline", "avx2", "avx512" or "neon".
const char* isa_name();

// CMake defines TEFF_EACH_ISA(use, ...): use(baseline, ...) use(avx2, ...), the sets of this build, the simplest first.
#define TEFF_COUNT_ISA(...) +1
inline constexpr std::size_t kIsaCount = 0 TEFF_EACH_ISA(TEFF_COUNT_ISA);

/// The tables of one source for all instruction sets.
template <template <class> class Kernels>
struct Dispatch {
  const Tables<Kernels>* tables[kIsaCount];
  // By type: float, double. Tables are constants: no order is needed.
  std::atomic<const Tables<Kernels>*> chosen[2] = {nullptr, nullptr};

  /// Of the chosen set, or of the widest below it that has the type.
  template <class T>
  const Kernels<T>& choose() {
    std::atomic<const Tables<Kernels>*>& mine = chosen[std::is_same_v<T, float> ? 0 : 1];
    const Tables<Kernels>* table = mine.load(std::memory_order_relaxed);
    if (table == nullptr) {
      std::size_t isa = chosen_isa();
      while (isa > 0 && !tables[isa]->template has<T>()) --isa;
      table = tables[isa];
      mine.store(table, std::memory_order_relaxed);
    }
    return table->template of<T>();
  }
};

#define TEFF_DECLARE_TABLES(isa, Kernels, name) \
  namespace isa {                               \
  extern const Tables<Kernels> name##_tables;   \
  }
#define TEFF_ADDRESS_OF_TABLES(isa, name) &isa::name##_tables,

/// TEFF_DISPATCH(SoftmaxKernels, softmax) defines softmax_kernels<T>(): what softmax_tables of the chosen set has.
#define TEFF_DISPATCH(Kernels, name)                                                                 \
  TEFF_EACH_ISA(TEFF_DECLARE_TABLES, Kernels, name)                                                  \
  static constinit Dispatch<Kernels> name##_dispatch{{TEFF_EACH_ISA(TEFF_ADDRESS_OF_TABLES, name)}}; \
  template <class T>                                                                                 \
  const Kernels<T>& name##_kernels() {                                                               \
    return name##_dispatch.choose<T>();                                                              \
  }                                                                                                  \
  template const Kernels<float>& name##_kernels();                                                   \
  template const Kernels<double>& name##_kernels();

}  // namespace teff::kernels
