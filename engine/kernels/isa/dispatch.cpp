// SPDX-License-Identifier: MIT
#include "teff/engine/kernels/isa/dispatch.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <cstdlib>
#include <string>
#include <string_view>

#include "teff/engine/error.h"

namespace teff::kernels {
namespace {

[[maybe_unused]] bool has_baseline() { return true; }
[[maybe_unused]] bool has_neon() { return true; }

#if defined(__x86_64__)
/// clang 14's __builtin_cpu_supports does not know its name.
[[maybe_unused]] bool has_f16c() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}

/// All that the flags in TeffKernels.cmake allow.
[[maybe_unused]] bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
         __builtin_cpu_supports("bmi2") && has_f16c();
}

[[maybe_unused]] bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}
#endif

struct Isa {
  const char* name;
  bool (*available)();
};

#define TEFF_NAME_AND_TEST(isa, ...) {#isa, &has_##isa},
constexpr Isa kIsas[] = {TEFF_EACH_ISA(TEFF_NAME_AND_TEST)};

std::string_view requested() {
  const char* text = std::getenv("TEFF_ISA");
  return text == nullptr ? std::string_view() : std::string_view(text);
}

/// The last available set, or the one that TEFF_ISA names.
std::size_t choose() {
#if defined(__x86_64__)
  __builtin_cpu_init();
#endif
  const std::string_view wanted = requested();
  std::size_t best = kIsaCount;
  std::string names;
  for (std::size_t i = 0; i < kIsaCount; ++i) {
    const Isa& isa = kIsas[i];
    if (!isa.available()) continue;
    names += names.empty() ? isa.name : std::string(", ") + isa.name;
    if (wanted.empty() || wanted == isa.name) best = i;
  }
  if (names.empty())
    throw Error("kernels: expected a machine with one of the instruction sets of this build, got one without");
  if (best == kIsaCount) {
    throw ValueError("TEFF_ISA: expected an instruction set of this machine (" + names + "), got \"" +
                     std::string(wanted) + '"');
  }
  return best;
}

}  // namespace

std::size_t chosen_isa() {
  static const std::size_t isa = choose();
  return isa;
}

const char* isa_name() { return kIsas[chosen_isa()].name; }

}  // namespace teff::kernels
