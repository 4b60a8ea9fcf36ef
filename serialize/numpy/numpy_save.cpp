// SPDX-License-Identifier: MIT
#include <string>
#include <vector>

#include "teff/engine/error.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/io/utf8.h"
#include "teff/serialize/io/zip_reader.h"
#include "teff/serialize/io/zip_writer.h"
#include "teff/serialize/numpy/npy_header.h"
#include "teff/serialize/numpy/numpy_file.h"

namespace teff::serialize {
namespace {

constexpr std::size_t kMaxArrayNameBytes = 400;  // the first name is among the first bytes, by which a file is known

[[noreturn]] void refuse_entry(const std::string& key, const std::string& what) {
  throw ValueError("entry \"" + escaped(key, 100) + "\": " + what);
}

void check_no_metadata(const SaveOptions& options) {
  if (!options.metadata.empty())
    throw ValueError("expected no SaveOptions::metadata, for which NumPy's files have no place");
}

std::string header_of(const std::string& key, const Value& value) {
  if (!value.is_tensor() || !value.as_tensor().defined()) {
    refuse_entry(key, "expected a tensor, got " +
                          (value.is_tensor() ? "an undefined one" : std::string(to_string(value.kind()))) +
                          ": NumPy's files hold arrays and nothing else; save the dictionary as .teff or .pt");
  }
  const Tensor& tensor = value.as_tensor();
  const std::optional<std::string> header = npy_header_for(tensor.type());
  if (!header) {
    refuse_entry(key, "expected a dtype that NumPy has, got " + std::string(to_string(tensor.dtype())) +
                          ": convert it to float32");
  }
  return *header;
}

std::span<const std::byte> elements_of(const Tensor& tensor) {
  return {static_cast<const std::byte*>(tensor.raw_data()), tensor.nbytes()};
}

}  // namespace

void save_npy(const Dict& dict, ByteSink& sink, const SaveOptions& options) {
  check_no_metadata(options);
  if (dict.size() != 1 || !dict.begin()->key.empty()) {
    throw ValueError("expected one tensor, under the name \"\", for .npy, got " + std::to_string(dict.size()) +
                     (dict.size() == 1 ? " entry under another name" : " entries") + ": save them as .npz");
  }
  const Value& value = dict.begin()->value;
  const std::string header = header_of("", value);
  sink.write(std::as_bytes(std::span(header)), 0);
  if (value.as_tensor().nbytes() > 0) sink.write(elements_of(value.as_tensor()), header.size());
}

void save_npz(const Dict& dict, ByteSink& sink, const SaveOptions& options) {
  check_no_metadata(options);
  std::vector<std::string> headers;
  for (const auto& [key, value] : dict) {
    headers.push_back(header_of(key, value));
    if (!is_entry_name(key + ".npy") || !is_utf8(key) || key.size() > kMaxArrayNameBytes) {
      refuse_entry(
          key, "expected a name that a file in a zip may have: UTF-8, at most 400 bytes, no .. and no \\, got another");
    }
  }
  if (headers.empty()) throw ValueError("expected a tensor for .npz, got an empty dictionary");
  ZipWriter zip(sink, "");
  std::size_t i = 0;
  for (const auto& [key, value] : dict) {
    const std::string& header = headers[i++];
    zip.add(key + ".npy", std::as_bytes(std::span(header)), elements_of(value.as_tensor()));
  }
  zip.finish();
}

}  // namespace teff::serialize
