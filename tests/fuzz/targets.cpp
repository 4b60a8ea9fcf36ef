// SPDX-License-Identifier: MIT
#include <array>
#include <cstdio>
#include <cstdlib>

#include "fuzz/image_mutator.h"
#include "fuzz/onnx_mutator.h"
#include "fuzz/random_model.h"
#include "fuzz/script_mutator.h"
#include "fuzz/target.h"
#include "fuzz/teff_mutator.h"
#include "fuzz/torch_mutator.h"

namespace teff::fuzz {
namespace {

constexpr std::array kTargets = {
    Target{"teff_dict", run_teff_dict, mutate_teff},
    Target{"teff_model", run_teff_model, mutate_teff},
    Target{"graph", run_graph, mutate_decisions},
    Target{"torch_zip", run_torch, mutate_torch},
    Target{"torch_legacy", run_torch, nullptr},
    Target{"pickle", run_pickle, nullptr},
    Target{"safetensors", run_safetensors, mutate_safetensors},
    Target{"json", run_json, nullptr},
    Target{"npy", run_numpy, nullptr},
    Target{"npz", run_numpy, mutate_torch},
    Target{"onnx", run_onnx, mutate_onnx},
    Target{"script", run_script, mutate_script, 8},
    Target{"script_code", run_script_code, mutate_code},
    Target{"exported", run_exported, mutate_exported, 8},
    Target{"inflate", run_inflate, nullptr},
#ifdef TEFF_FUZZ_IMAGES
    Target{"image", run_image, mutate_image},
#endif
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

}  // namespace teff::fuzz
