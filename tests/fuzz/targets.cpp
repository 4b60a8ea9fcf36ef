// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#include "fuzz/target.h"
#include "fuzz/teff_mutator.h"

namespace teff::fuzz {

void run_teff_dict(std::span<const std::byte> bytes);
void run_teff_model(std::span<const std::byte> bytes);

namespace {

constexpr std::array kTargets = {
    Target{"teff_dict", run_teff_dict, mutate_teff},
    Target{"teff_model", run_teff_model, mutate_teff},
};

}  // namespace

std::span<const Target> targets() { return kTargets; }

const Target& find_target(std::string_view name) {
  for (const Target& target : kTargets) {
    if (target.name == name) return target;
  }
  std::fprintf(stderr, "expected the name of a fuzz target, got %.*s\n", static_cast<int>(name.size()), name.data());
  std::exit(2);
}

void expect(bool condition, const char* promise) {
  if (condition) return;
  std::fprintf(stderr, "finding: expected that %s\n", promise);
  std::abort();
}

void expect_refusal(std::string_view text) {
  expect(text.starts_with("load"), "a refusal begins with the name of the function");
  expect(std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }),
         "a refusal has no control characters");
}

}  // namespace teff::fuzz
