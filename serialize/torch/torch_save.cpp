// SPDX-License-Identifier: MIT
#include <array>
#include <cstdio>
#include <string>
#include <string_view>

#include "teff/engine/error.h"
#include "teff/serialize/io/limits.h"
#include "teff/serialize/io/zip_writer.h"
#include "teff/serialize/torch/torch_file.h"
#include "teff/serialize/torch/torch_pickle.h"

namespace teff::serialize {
namespace {

std::uint64_t combine(std::uint64_t hash, std::uint64_t value) {
  return hash ^ (value + 0x9e3779b9 + (hash << 6) + (hash >> 2));
}

}  // namespace

std::string torch_serialization_id(const std::vector<ZipWriter::Entry>& entries) {
  std::uint64_t names = 0, contents = 0;
  for (const ZipWriter::Entry& entry : entries) {
    for (const char c : entry.name) names = combine(names, static_cast<unsigned char>(c));
    if (entry.bytes > 0) contents = combine(contents, entry.crc);
  }
  std::array<char, 48> digits{};
  std::snprintf(digits.data(), digits.size(), "%020llu%020llu", static_cast<unsigned long long>(names),
                static_cast<unsigned long long>(contents));
  return digits.data();
}

void save_torch(const Dict& dict, ByteSink& sink, const SaveOptions& options) {
  if (!options.metadata.empty())
    throw ValueError("expected no SaveOptions::metadata, for which PyTorch's files have no place");
  const TorchPickle pickle = pickle_for_torch(dict);
  if (pickle.bytes.size() > kMaxHeaderBytes) {
    throw ValueError("expected names, text and structure of at most " + std::to_string(kMaxHeaderBytes) +
                     " bytes, got " + std::to_string(pickle.bytes.size()) + ": keep large data as a tensor");
  }
  ZipWriter zip(sink, "archive");
  const auto add_text = [&](std::string_view name, std::string_view text) {
    zip.add(name, std::as_bytes(std::span(text)));
  };
  zip.add("data.pkl", pickle.bytes);
  add_text("byteorder", "little");
  for (std::size_t i = 0; i < pickle.storages.size(); ++i) {
    const Tensor& storage = pickle.storages[i];
    zip.add("data/" + std::to_string(i), {static_cast<const std::byte*>(storage.raw_data()), storage.nbytes()});
  }
  add_text("version", "3\n");
  add_text(".data/serialization_id", torch_serialization_id(zip.entries()));
  zip.finish();
}

}  // namespace teff::serialize
