// SPDX-License-Identifier: MIT
#pragma once

// Private: the header of a .teff file as a pair of cereal archives.
//
// Every number is 8 bytes, little-endian; text and bytes are their length and then themselves; a container is
// the number of its elements and then these. Nothing else is ever written, so equal content gives equal
// bytes.
//
// The reader trusts nothing: lengths and counts are compared with what is left before anything is allocated,
// and the counts of all containers together must fit into the header, however they lie in each other.

#include <cereal/cereal.hpp>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "teff/engine/tensor.h"
#include "teff/serialize/io/limits.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/teff/preamble.h"

namespace teff::serialize {

class HeaderWriter : public cereal::OutputArchive<HeaderWriter> {
 public:
  /// `items`: elements of containers that another archive has written to the same header.
  explicit HeaderWriter(std::size_t items = 0) : OutputArchive(this), items_(items) {}

  void word(std::uint64_t value);
  void text(std::string_view text);
  void name(std::string_view name);  // text of bounded length
  void count(std::size_t items);     // of a container
  /// Writes the tensor's place in the table of tensors; the same tensor always has the same place.
  void tensor(const Tensor& tensor);
  /// Notes that the content uses a feature of the format.
  void use(Feature feature) { features_ |= feature; }

  std::uint64_t features() const { return features_; }
  const std::vector<std::byte>& bytes() const { return bytes_; }
  const std::vector<Tensor>& tensors() const { return tensors_; }
  std::size_t items() const { return items_; }
  /// @throws ValueError.
  [[noreturn]] void refuse(const std::string& what) const;

  Place place;

 private:
  std::vector<std::byte> bytes_;
  std::vector<Tensor> tensors_;
  std::unordered_map<const void*, std::size_t> known_;
  std::size_t items_;
  std::uint64_t features_ = 0;
};

class HeaderReader : public cereal::InputArchive<HeaderReader> {
 public:
  /// `offset`: of the bytes in the file, for error messages. `features`: those that the preamble names.
  HeaderReader(std::span<const std::byte> bytes, std::uint64_t offset, std::uint64_t features)
      : InputArchive(this), bytes_(bytes), offset_(offset), features_(features) {}

  std::uint64_t word();
  bool boolean();
  std::string_view text();  // valid as long as the header
  std::string_view name();
  /// Number of elements of a container, each of which takes at least `min_bytes` bytes of the header.
  std::size_t count(std::size_t min_bytes);
  Tensor tensor();
  /// Notes that the content uses a feature of the format. @throws FormatError unless the preamble names it.
  void use(Feature feature);
  /// Whether the preamble names it.
  bool names(Feature feature) const { return (features_ & feature) != 0; }

  /// What tensor() gives from now on.
  void set_tensors(std::vector<Tensor> tensors);
  /// Where the content names a tensor of the table.
  std::string name_of(std::size_t tensor) const { return '"' + place.text_of(names_[tensor]) + '"'; }
  /// @throws FormatError unless all bytes were read, all tensors named and all features used.
  void finish() const;
  /// @throws FormatError that names the place.
  [[noreturn]] void refuse(const std::string& what) const;

  Place place;

 private:
  std::span<const std::byte> take(std::uint64_t count);
  std::size_t left() const { return bytes_.size() - position_; }

  std::span<const std::byte> bytes_;
  std::uint64_t offset_;
  std::uint64_t features_, used_features_ = 0;
  std::size_t position_ = 0;
  std::size_t claimed_ = 0;  // bytes that the elements of all containers so far take at least
  std::size_t items_ = 0;
  std::vector<Tensor> tensors_;
  std::vector<std::size_t> names_;  // marks of the places that named the first tensors
};

// How the archives treat the types of the language and of the standard library.

template <std::integral T>
void save(HeaderWriter& archive, const T& value) {
  archive.word(static_cast<std::uint64_t>(value));
}

template <std::integral T>
void load(HeaderReader& archive, T& value) {
  if constexpr (std::same_as<T, bool>) {
    value = archive.boolean();
  } else {
    using Wide = std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>;
    const auto wide = static_cast<Wide>(archive.word());
    if (!std::in_range<T>(wide)) archive.refuse("expected a small number, got " + std::to_string(wide));
    value = static_cast<T>(wide);
  }
}

inline void save(HeaderWriter& archive, const double& value) { archive.word(std::bit_cast<std::uint64_t>(value)); }
inline void load(HeaderReader& archive, double& value) { value = std::bit_cast<double>(archive.word()); }

inline void save(HeaderWriter& archive, const std::string& name) { archive.name(name); }
inline void load(HeaderReader& archive, std::string& name) { name = archive.name(); }

template <class Archive, class A, class B>
void serialize(Archive& archive, std::pair<A, B>& pair) {
  archive(pair.first, pair.second);
}

/// An enumeration whose values are those from `first` to `last`.
template <class Enum>
struct OneOf {
  Enum& value;
  Enum first;
  Enum last;
};

template <class Enum>
void save(HeaderWriter& archive, const OneOf<Enum>& one) {
  archive.word(static_cast<std::uint64_t>(one.value));
}

template <class Enum>
void load(HeaderReader& archive, OneOf<Enum>& one) {
  const std::uint64_t word = archive.word();
  if (word < static_cast<std::uint64_t>(one.first) || word > static_cast<std::uint64_t>(one.last)) {
    archive.refuse("expected a number from " + std::to_string(static_cast<int>(one.first)) + " to " +
                   std::to_string(static_cast<int>(one.last)) + ", got " + std::to_string(word));
  }
  one.value = static_cast<Enum>(word);
}

/// Bytes of the header that an element takes at least. Specialised beside the element's serialize.
template <class T>
inline constexpr std::size_t kMinBytes = 8;

template <class T>
void save(HeaderWriter& archive, const std::vector<T>& items) {
  archive.count(items.size());
  for (const T& item : items) archive(item);
}

template <class T>
void load(HeaderReader& archive, std::vector<T>& items) {
  const std::size_t count = archive.count(kMinBytes<T>);
  items.clear();
  items.reserve(count);
  for (std::size_t i = 0; i < count; ++i) archive(items.emplace_back());
}

}  // namespace teff::serialize
