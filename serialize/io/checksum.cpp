// SPDX-License-Identifier: MIT
#include "teff/serialize/io/checksum.h"

namespace teff::serialize {
namespace {

const ChecksumKernel& kernel() {
#ifdef TEFF_CHECKSUM_AVX2
  static const ChecksumKernel& best = __builtin_cpu_supports("avx2") ? kChecksumAvx2 : kChecksumBaseline;
  return best;
#else
  return kChecksumBaseline;
#endif
}

}  // namespace

std::uint64_t checksum(std::span<const std::byte> bytes) { return kernel().hash(bytes.data(), bytes.size()); }

Checksum::Checksum() : kernel_(kernel()) { kernel_.reset(state_.data()); }

void Checksum::update(std::span<const std::byte> bytes) { kernel_.update(state_.data(), bytes.data(), bytes.size()); }

std::uint64_t Checksum::finish() {
  const std::uint64_t value = kernel_.digest(state_.data());
  kernel_.reset(state_.data());
  return value;
}

}  // namespace teff::serialize
