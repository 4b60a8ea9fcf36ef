// SPDX-License-Identifier: MIT
#pragma once

// What is fuzzed. Each target reads bytes as one kind of file and aborts if a promise is broken; the sanitizers see the
// rest. libfuzzer.cpp lets libFuzzer drive a target (clang), replay.cpp runs them over the corpus and over mutations of
// it (any compiler).

#include <cstdint>
#include <random>
#include <span>
#include <string_view>
#include <vector>

namespace teff::fuzz {

using Bytes = std::vector<std::uint8_t>;
using Random = std::minstd_rand;

/// Changes the bytes somehow: libFuzzer's own mutations, or those of the replay.
using Mutator = void (*)(Bytes& bytes);

struct Target {
  std::string_view name;  // of its folder in corpus/, too
  void (*run)(std::span<const std::byte> bytes);
  /// Changes a file so that its checksums and lengths are right again, for behind these lies most of the reader. Null:
  /// the format has none.
  void (*mutate)(Bytes& file, Random& random, Mutator mutate);
  /// So many times longer than others' a file takes: the replay makes so many fewer mutations.
  long cost = 1;
};

// One file each, or two: target_*.cpp.
void run_teff_dict(std::span<const std::byte> bytes);
void run_teff_model(std::span<const std::byte> bytes);
void run_graph(std::span<const std::byte> bytes);
void run_torch(std::span<const std::byte> bytes);
void run_pickle(std::span<const std::byte> bytes);
void run_safetensors(std::span<const std::byte> bytes);
void run_json(std::span<const std::byte> bytes);
void run_numpy(std::span<const std::byte> bytes);
void run_onnx(std::span<const std::byte> bytes);
void run_script(std::span<const std::byte> bytes);
void run_script_code(std::span<const std::byte> bytes);
void run_exported(std::span<const std::byte> bytes);
void run_inflate(std::span<const std::byte> bytes);
void run_image(std::span<const std::byte> bytes);  // where there are libpng and libjpeg

std::span<const Target> targets();
/// Ends the program if there is no such target.
const Target& find_target(std::string_view name);

}  // namespace teff::fuzz
