// SPDX-License-Identifier: MIT
#include "teff/serialize/teff/archive.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "teff/engine/error.h"
#include "teff/engine/text.h"

namespace teff::serialize {
namespace {

std::string too_long(std::string_view name) {
  return "expected a name of at most " + std::to_string(kMaxNameBytes) + " bytes, got " + std::to_string(name.size());
}

std::string too_many_items() {
  return "expected at most " + std::to_string(kMaxItems) + " elements of lists, dictionaries and tables, got more";
}

}  // namespace

void HeaderWriter::word(std::uint64_t value) {
  const auto bytes = std::bit_cast<std::array<std::byte, sizeof value>>(value);
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

void HeaderWriter::text(std::string_view text) {
  word(text.size());
  if (text.size() > kMaxHeaderBytes) {
    refuse("expected at most " + std::to_string(kMaxHeaderBytes) + " bytes of text, got " +
           std::to_string(text.size()) + ": keep large data as a tensor");
  }
  const auto bytes = std::as_bytes(std::span(text));
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

void HeaderWriter::name(std::string_view name) {
  if (name.size() > kMaxNameBytes) refuse(too_long(name));
  text(name);
}

void HeaderWriter::count(std::size_t items) {
  items_ += items;
  if (items_ > kMaxItems) refuse(too_many_items());
  word(items);
}

void HeaderWriter::tensor(const Tensor& tensor) {
  if (!tensor.defined()) refuse("expected a tensor, got an undefined one");
  const auto [known, is_new] = known_.try_emplace(tensor.id(), tensors_.size());
  if (is_new) {
    const std::span bytes(static_cast<const std::byte*>(tensor.raw_data()), tensor.nbytes());
    if (tensor.dtype() == DType::bool_ && !are_bools(bytes)) refuse("expected bool values of 0 or 1, got others");
    if (tensor.dtype() > DType::bfloat16) use(kMoreDTypes);
    tensors_.push_back(tensor);
  }
  word(known->second);
}

void HeaderWriter::refuse(const std::string& what) const {
  const std::string where = place.text();
  throw ValueError(where.empty() ? what : "\"" + where + "\": " + what);
}

std::span<const std::byte> HeaderReader::take(std::uint64_t count) {
  if (count > left()) {
    refuse("expected at most the " + std::to_string(left()) + " bytes that are left, got a length of " +
           std::to_string(count));
  }
  const auto taken = bytes_.subspan(position_, static_cast<std::size_t>(count));
  position_ += taken.size();
  return taken;
}

std::uint64_t HeaderReader::word() {
  std::uint64_t value = 0;
  std::memcpy(&value, take(sizeof value).data(), sizeof value);
  return value;
}

bool HeaderReader::boolean() {
  const std::uint64_t value = word();
  if (value > 1) refuse("expected 0 or 1, got " + std::to_string(value));
  return value == 1;
}

std::string_view HeaderReader::text() {
  const auto bytes = take(word());
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string_view HeaderReader::name() {
  const std::string_view name = text();
  if (name.size() > kMaxNameBytes) refuse(too_long(name));
  return name;
}

std::size_t HeaderReader::count(std::size_t min_bytes) {
  const std::uint64_t count = word();
  if (count > left() / min_bytes || count * min_bytes > bytes_.size() - claimed_) {
    refuse("expected no more elements than the " + std::to_string(left()) + " bytes that are left can hold, got " +
           std::to_string(count));
  }
  claimed_ += static_cast<std::size_t>(count) * min_bytes;
  items_ += static_cast<std::size_t>(count);
  if (items_ > kMaxItems) refuse(too_many_items());
  return static_cast<std::size_t>(count);
}

void HeaderReader::set_tensors(std::vector<Tensor> tensors) {
  tensors_ = std::move(tensors);
  names_.reserve(tensors_.size());
}

Tensor HeaderReader::tensor() {
  const std::uint64_t index = word();
  if (index >= tensors_.size()) {
    refuse("expected a tensor below " + std::to_string(tensors_.size()) + ", got " + std::to_string(index));
  }
  if (index > names_.size()) {
    refuse("expected tensors in the order of the table, next " + std::to_string(names_.size()) + ", got " +
           std::to_string(index));
  }
  if (index == names_.size()) names_.push_back(place.mark());
  return tensors_[static_cast<std::size_t>(index)];
}

void HeaderReader::use(Feature feature) {
  used_features_ |= feature;
  if ((features_ & feature) != 0) return;
  refuse("expected the preamble to name feature " + std::to_string(std::countr_zero(std::uint64_t{feature})) +
         ", which is used here");
}

void HeaderReader::finish() const {
  if (left() != 0) refuse("expected the end of the header, got " + std::to_string(left()) + " more bytes");
  if (names_.size() != tensors_.size()) {
    refuse("expected all tensors to be named, got no name for tensor " + std::to_string(names_.size()));
  }
  if (const std::uint64_t unused = features_ & ~used_features_; unused != 0) {
    refuse("expected the file to use feature " + std::to_string(std::countr_zero(unused)) +
           ", as its preamble says, got one that does not");
  }
}

void HeaderReader::refuse(const std::string& what) const {
  const std::string where = place.text();
  throw FormatError("header at offset " + std::to_string(offset_ + position_) +
                    (where.empty() ? "" : " (\"" + where + "\")") + ": " + what);
}

}  // namespace teff::serialize
