// SPDX-License-Identifier: MIT

// Lets libFuzzer drive the target TEFF_FUZZ_TARGET.

#include <algorithm>

#include "fuzz/target.h"
#include "teff/engine/allocator.h"
#include "teff/engine/parallel.h"

extern "C" {
std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);
int LLVMFuzzerInitialize(int* argc, char*** argv);
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed);
}

namespace {

using teff::fuzz::Bytes;

const teff::fuzz::Target& target() {
  static const teff::fuzz::Target& found = teff::fuzz::find_target(TEFF_FUZZ_TARGET);
  return found;
}

/// libFuzzer's own, with room to grow.
void mutate(Bytes& bytes) {
  const std::size_t size = bytes.size();
  bytes.resize(size + 64 + size / 4);
  bytes.resize(LLVMFuzzerMutate(bytes.data(), size, bytes.size()));
}

}  // namespace

int LLVMFuzzerInitialize(int*, char***) {
  teff::set_num_threads(1);
  return 0;
}

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  target().run(std::as_bytes(std::span(data, size)));
  teff::empty_cache();  // memory that is kept for use again is none of this input's
  return 0;
}

std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed) {
  if (target().mutate == nullptr) return LLVMFuzzerMutate(data, size, max_size);
  Bytes bytes(data, data + size);
  teff::fuzz::Random random(seed);
  target().mutate(bytes, random, mutate);
  if (bytes.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::copy(bytes.begin(), bytes.end(), data);
  return bytes.size();
}
