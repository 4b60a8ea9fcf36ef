// SPDX-License-Identifier: MIT
#include <cstdlib>
#include <string>
#include <string_view>

#include "teff/engine/error.h"
#include "teff/engine/kernels/kernels.h"

namespace teff::kernels {

// Defined by table.cpp in each instruction set's namespace.
#define TEFF_DECLARE_ISA(isa)           \
  namespace isa {                       \
  extern const Table<float> float_table;   \
  extern const Table<double> double_table; \
  }

namespace {

struct Isa {
  const char* name;
  bool available;
  const Table<float>* float_table;
  const Table<double>* double_table;
};

}  // namespace

#if defined(__x86_64__)
TEFF_DECLARE_ISA(baseline)
TEFF_DECLARE_ISA(avx2)
TEFF_DECLARE_ISA(avx512)
#elif defined(__aarch64__)
TEFF_DECLARE_ISA(neon)
#else
TEFF_DECLARE_ISA(baseline)
#endif

namespace {

std::string_view requested() {
  const char* text = std::getenv("TEFF_ISA");
  return text == nullptr ? std::string_view() : std::string_view(text);
}

/// The last available set of a list from the simplest to the widest, or the one that TEFF_ISA names.
Isa choose() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                        __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  const bool has_avx512 = has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                          __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  const Isa sets[] = {{"baseline", true, &baseline::float_table, &baseline::double_table},
                      {"avx2", has_avx2, &avx2::float_table, &avx2::double_table},
                      {"avx512", has_avx512, &avx512::float_table, &avx512::double_table}};
#elif defined(__aarch64__)
  const Isa sets[] = {{"neon", true, &neon::float_table, &neon::double_table}};
#else
  const Isa sets[] = {{"baseline", true, &baseline::float_table, &baseline::double_table}};
#endif
  const std::string_view wanted = requested();
  const Isa* best = nullptr;
  std::string names;
  for (const Isa& isa : sets) {
    if (!isa.available) continue;
    names += names.empty() ? isa.name : std::string(", ") + isa.name;
    if (wanted.empty() || wanted == isa.name) best = &isa;
  }
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
