// SPDX-License-Identifier: MIT
#include "examples/cifar.h"

#include <algorithm>
#include <filesystem>

#include <teff/teff.h>

#include "examples/read_file.h"

namespace cifar {
namespace {

// The greatest file has 154 MB.
constexpr std::size_t kMaxBytes = std::size_t{1} << 28;

struct Layout {
  std::size_t label_bytes;  // the class is the last of them
  std::uint8_t limits[2];   // of these bytes
  std::size_t record_bytes() const { return label_bytes + kImageBytes; }
};

Layout layout_of(Kind kind) { return kind == Kind::cifar10 ? Layout{1, {10, 0}} : Layout{2, {20, 100}}; }

/// @throws teff::FormatError for a byte that is no class.
std::int64_t read_label(std::span<const std::uint8_t> record, const Layout& layout, std::size_t number,
                        const std::string& name) {
  for (std::size_t i = 0; i < layout.label_bytes; ++i) {
    if (record[i] < layout.limits[i]) continue;
    throw teff::FormatError(name + ": record " + std::to_string(number) + ": expected a class below " +
                            std::to_string(layout.limits[i]) + ", got " + std::to_string(record[i]));
  }
  return record[layout.label_bytes - 1];
}

std::vector<std::string> files_of(Kind kind, Cifar::Part part) {
  if (kind == Kind::cifar100) return {part == Cifar::Part::train ? "train.bin" : "test.bin"};
  if (part == Cifar::Part::test) return {"test_batch.bin"};
  return {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"};
}

}  // namespace

Records parse_records(std::span<const std::uint8_t> bytes, Kind kind, const std::string& name) {
  const Layout layout = layout_of(kind);
  const std::size_t size = layout.record_bytes(), count = bytes.size() / size;
  if (bytes.empty() || bytes.size() % size != 0) {
    throw teff::FormatError(name + ": expected records of " + std::to_string(size) + " bytes, got " +
                            std::to_string(bytes.size()) + " bytes");
  }
  const auto rows = static_cast<std::int64_t>(count);
  Records records{teff::empty({rows, 3, 32, 32}, {.dtype = teff::DType::uint8}),
                  teff::empty({rows}, {.dtype = teff::DType::int64})};
  std::uint8_t* pixels = records.images.data<std::uint8_t>();
  for (std::size_t i = 0; i < count; ++i) {
    const auto record = bytes.subspan(i * size, size);
    records.labels.data<std::int64_t>()[i] = read_label(record, layout, i, name);
    pixels = std::copy(record.begin() + static_cast<std::ptrdiff_t>(layout.label_bytes), record.end(), pixels);
  }
  return records;
}

Records read_records(const std::string& path, Kind kind) {
  return parse_records(examples::read_file(path, kMaxBytes), kind, path);
}

Cifar::Cifar(const std::string& folder, Kind kind, Part part) {
  std::vector<teff::Tensor> images, labels;
  for (const std::string& file : files_of(kind, part)) {
    const Records records = read_records((std::filesystem::path(folder) / file).string(), kind);
    images.push_back(records.images);
    labels.push_back(records.labels);
  }
  records_ = {teff::cat(images), teff::cat(labels)};
}

teff::data::Example Cifar::get(std::int64_t index) {
  const teff::data::Example one = batch({&index, 1});
  return {one.data[0], one.target[0]};
}

teff::data::Example Cifar::batch(std::span<const std::int64_t> indices) {
  const teff::Tensor rows = teff::tensor<std::int64_t>(indices, {static_cast<std::int64_t>(indices.size())});
  return {teff::transforms::ConvertImageDtype()(teff::index_select(records_.images, 0, rows)),
          teff::index_select(records_.labels, 0, rows)};
}

}  // namespace cifar
