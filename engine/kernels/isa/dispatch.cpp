// SPDX-License-Identifier: MIT
#include <cstdlib>
#include <string>
#include <string_view>

#include "teff/engine/error.h"
#include "teff/engine/kernels/kernels.h"

namespace teff::kernels {

// Defined by table.cpp in each instruction set's namespace, for those that TEFF_ISAS of the build names.
#define TEFF_DECLARE_ISA(isa)              \
  namespace isa {                          \
  extern const Table<float> float_table;   \
  extern const Table<double> double_table; \
  }
#define TEFF_ISA_ENTRY(isa, available) Isa{#isa, available, &isa::float_table, &isa::double_table},

#if TEFF_WITH_baseline
TEFF_DECLARE_ISA(baseline)
#endif
#if TEFF_WITH_avx2
TEFF_DECLARE_ISA(avx2)
#endif
#if TEFF_WITH_avx512
TEFF_DECLARE_ISA(avx512)
#endif
#if TEFF_WITH_neon
TEFF_DECLARE_ISA(neon)
#endif

namespace {

struct Isa {
  const char* name;
  bool available;
  const Table<float>* float_table;
  const Table<double>* double_table;
};

#if defined(__x86_64__)
[[maybe_unused]] bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
         __builtin_cpu_supports("bmi2");
}

[[maybe_unused]] bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}
#endif

std::string_view requested() {
  const char* text = std::getenv("TEFF_ISA");
  return text == nullptr ? std::string_view() : std::string_view(text);
}

/// The last available set of a list from the simplest to the widest, or the one that TEFF_ISA names.
Isa choose() {
#if defined(__x86_64__)
  __builtin_cpu_init();
#endif
  const Isa sets[] = {
#if TEFF_WITH_baseline
    TEFF_ISA_ENTRY(baseline, true)
#endif
#if TEFF_WITH_avx2
        TEFF_ISA_ENTRY(avx2, has_avx2())
#endif
#if TEFF_WITH_avx512
            TEFF_ISA_ENTRY(avx512, has_avx512())
#endif
#if TEFF_WITH_neon
                TEFF_ISA_ENTRY(neon, true)
#endif
  };
  const std::string_view wanted = requested();
  const Isa* best = nullptr;
  std::string names;
  for (const Isa& isa : sets) {
    if (!isa.available) continue;
    names += names.empty() ? isa.name : std::string(", ") + isa.name;
    if (wanted.empty() || wanted == isa.name) best = &isa;
  }
  if (names.empty())
    throw Error("kernels: expected a machine with one of the instruction sets of this build, got one without");
  if (best == nullptr) {
    throw ValueError("TEFF_ISA: expected an instruction set of this machine (" + names + "), got \"" +
                     std::string(wanted) + '"');
  }
  return *best;
}

const Isa& chosen() {
  static const Isa isa = choose();
  return isa;
}

}  // namespace

template <>
const Table<float>& table<float>() {
  return *chosen().float_table;
}

template <>
const Table<double>& table<double>() {
  return *chosen().double_table;
}

const char* isa_name() { return chosen().name; }

}  // namespace teff::kernels
