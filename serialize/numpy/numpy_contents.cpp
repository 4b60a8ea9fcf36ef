// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/strided_copy.h"
#include "teff/engine/tensor_impl.h"
#include "teff/serialize/io/crc32.h"
#include "teff/serialize/io/data_blocks.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/io/tensor_listing.h"
#include "teff/serialize/io/zip_reader.h"
#include "teff/serialize/numpy/npy_header.h"
#include "teff/serialize/numpy/numpy_file.h"

namespace teff::serialize {
namespace {

constexpr std::string_view kExtension = ".npy";
constexpr std::size_t kShownArrayBytes = 100;

/// An array: all of a file, or an entry of a zip.
struct Array {
  std::string name;
  std::uint64_t offset = 0;         // of its header in the file
  std::uint64_t bytes = 0;          // with the header
  const ZipEntry* entry = nullptr;  // in a zip
  NpyHeader header;

  bool is_packed() const { return entry != nullptr && entry->is_packed(); }
  std::uint64_t elements() const { return offset + header.bytes; }  // unless it is packed
  bool is_plain() const { return !is_packed() && !header.is_swapped && !header.is_fortran; }
};

[[noreturn]] void refuse(const Array& array, const std::string& what) {
  throw FormatError("array \"" + escaped(array.name, kShownArrayBytes) + "\": " + what);
}

void swap_each(std::span<std::byte> bytes, std::size_t element) {
  for (; !bytes.empty(); bytes = bytes.subspan(element))
    std::reverse(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(element));
}

/// The same elements with the last dimension changing quickest.
Tensor in_order_of_c(const Tensor& stored) {
  const Shape& shape = stored.shape();
  const Tensor copy = empty(shape, {.dtype = stored.dtype()});
  ops::StridedCopy plan{shape, {}, ops::contiguous_strides(shape), 0, 0};
  std::int64_t stride = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    plan.from_strides[i] = stride;
    stride *= shape[i];
  }
  ops::strided_copy(plan, stored, copy);
  return copy;
}

class NumpyContents final : public Contents {
 public:
  NumpyContents(std::shared_ptr<const ByteSource> source, const LoadOptions& options)
      : source_(std::move(source)),
        verify_(options.verify),
        skip_(options.skip),
        mapping_(options.mmap ? source_->map() : nullptr) {}

  void open_one() { add_all({{"", 0, source_->size(), nullptr, {}}}); }

  void open_zip() {
    zip_.emplace(*source_);
    zip_->check_packing();
    std::vector<Array> arrays;
    for (const ZipEntry& entry : zip_->entries()) {
      if (entry.name.ends_with('/')) continue;
      const bool is_array = entry.name.ends_with(kExtension);
      const std::string_view name = entry.name.substr(0, entry.name.size() - (is_array ? kExtension.size() : 0));
      if (!is_array) {
        add_unsupported(std::string(name), "no array");
      } else {
        arrays.push_back({std::string(name), entry.offset, entry.bytes, &entry, {}});
      }
    }
    add_all(std::move(arrays));
  }

  StoragePlace place_of(const Tensor& stand_in) const override {
    const std::size_t index = index_of(stand_in);
    if (stand_in.nbytes() == 0 || !arrays_[index].is_plain()) return {index, {}, {}};
    return {index, arrays_[index].elements(), {}};
  }

  std::vector<Tensor> read(std::span<const Tensor> stand_ins) const override { return read(stand_ins, verify_); }

  bool has_checksums() const override { return zip_ && zip_->entries().front().has_crc; }

  std::vector<Damage> check() const override {
    std::vector<Damage> damages;
    for (const auto& [name, stand_in] : structure) {
      try {
        read(std::span(&stand_in.as_tensor(), 1), true);
      } catch (const Error& error) {
        damages.push_back({index_of(stand_in.as_tensor()), error.what()});
      }
    }
    return damages;
  }

 private:
  void add_all(std::vector<Array> arrays) {
    for (Array& array : arrays) {
      try {
        array.header = read_npy_header(
            array.bytes, [&](std::uint64_t offset, std::size_t bytes) { return first_bytes(array, offset, bytes); });
        add(array);
      } catch (const FormatError& error) {
        if (array.entry == nullptr) throw;
        refuse(array, error.what());
      }
    }
    refusal = listing_.refusal();
  }

  void add_unsupported(const std::string& name, const std::string& what) {
    const std::string path = escape_key(name);
    unsupported.push_back({path, what});
    const bool is_skipped = std::find(skip_.begin(), skip_.end(), path) != skip_.end();
    if (!is_skipped) listing_.add_unsupported(escaped(name, kShownArrayBytes), what);
  }

  void add(const Array& array) {
    const std::string place = escaped(array.name, kShownArrayBytes);
    if (!array.header.dtype) {
      return add_unsupported(array.name, array.header.kind + ", " + escaped(array.header.descr, kShownArrayBytes));
    }
    const TensorType type = npy_type(array.header, array.bytes);
    listing_.add(place, type);
    const Tensor stand_in = detail::make_without_values(type);
    indices_.emplace(stand_in.id(), arrays_.size());
    arrays_.push_back(array);
    structure.insert(array.name, stand_in);
  }

  std::vector<std::byte> first_bytes(const Array& array, std::uint64_t offset, std::size_t bytes) const {
    const std::uint64_t end = offset + bytes;  // both are small: see read_npy_header
    std::vector<std::byte> read(static_cast<std::size_t>(end));
    if (array.is_packed()) {
      unpack(*source_, *array.entry, read);
    } else {
      source_->read(std::span(read), array.offset);
    }
    read.erase(read.begin(), read.begin() + static_cast<std::ptrdiff_t>(offset));
    return read;
  }

  bool is_mapped(const Array& array, const Tensor& stand_in) const {
    return mapping_ != nullptr && stand_in.nbytes() > 0 && array.is_plain() &&
           array.elements() % size_of(stand_in.dtype()) == 0;
  }

  std::vector<Tensor> read(std::span<const Tensor> stand_ins, bool verify) const {
    const NoGradGuard no_grad;
    std::vector<Tensor> tensors;
    std::vector<DataBlock> blocks;
    for (const Tensor& stand_in : stand_ins) {
      const Array& array = arrays_[index_of(stand_in)];
      const bool mapped = is_mapped(array, stand_in);
      tensors.push_back(mapped ? Tensor::from_external(mapping_->data() + array.elements(), stand_in.type(),
                                                       [mapping = mapping_](void*) {})
                               : empty(stand_in.shape(), {.dtype = stand_in.dtype()}));
      const auto memory = std::span(static_cast<std::byte*>(tensors.back().raw_data()), tensors.back().nbytes());
      if (array.is_packed()) unpack_into(array, memory, verify);
      blocks.push_back({array.elements(), memory, mapped || array.is_packed()});
    }
    const std::vector<std::uint32_t> checksums = read_blocks(*source_, blocks, verify && zip_);
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      const Array& array = arrays_[index_of(stand_ins[i])];
      if (!checksums.empty() && !array.is_packed()) check_sum(array, checksums[i], blocks[i].memory.size());
      finish(array, tensors[i], blocks[i].memory);
    }
    return tensors;
  }

  void unpack_into(const Array& array, std::span<std::byte> memory, bool verify) const {
    std::vector<std::byte> all(static_cast<std::size_t>(array.bytes));
    unpack(*source_, *array.entry, all);
    if (verify) check_crc(*array.entry, crc32(all));
    if (!memory.empty()) std::memcpy(memory.data(), all.data() + array.header.bytes, memory.size());
  }

  /// The entry's checksum is that of header and elements.
  void check_sum(const Array& array, std::uint32_t elements, std::uint64_t bytes) const {
    const std::vector<std::byte> header = first_bytes(array, 0, static_cast<std::size_t>(array.header.bytes));
    check_crc(*array.entry, crc32_combine(crc32(header), elements, bytes));
  }

  static void finish(const Array& array, Tensor& tensor, std::span<std::byte> memory) {
    if (array.header.is_swapped) swap_each(memory, size_of(tensor.dtype()));
    if (tensor.dtype() == DType::bool_ && !are_bools(memory))
      refuse(array, "expected bool values of 0 or 1, got others");
    if (array.header.is_fortran && tensor.dim() > 1) tensor = in_order_of_c(tensor);
  }

  std::size_t index_of(const Tensor& stand_in) const {
    const auto found = indices_.find(stand_in.id());
    if (found == indices_.end()) throw IndexError("File: expected a tensor of the file, got another");
    return found->second;
  }

  std::shared_ptr<const ByteSource> source_;
  bool verify_;
  std::vector<std::string> skip_;
  std::shared_ptr<const Mapping> mapping_;
  std::optional<ZipReader> zip_;
  TensorListing listing_;
  std::vector<Array> arrays_;
  std::unordered_map<const void*, std::size_t> indices_;  // of the stand-ins, among the arrays
};

}  // namespace

std::unique_ptr<Contents> open_npy(std::shared_ptr<const ByteSource> source, const LoadOptions& options) {
  auto contents = std::make_unique<NumpyContents>(std::move(source), options);
  contents->open_one();
  return contents;
}

std::unique_ptr<Contents> open_npz(std::shared_ptr<const ByteSource> source, const LoadOptions& options) {
  auto contents = std::make_unique<NumpyContents>(std::move(source), options);
  contents->open_zip();
  return contents;
}

}  // namespace teff::serialize
