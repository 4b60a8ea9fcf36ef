// SPDX-License-Identifier: MIT
#include "teff/serialize/io/tensor_listing.h"

#include "teff/engine/error.h"

namespace teff::serialize {
namespace {

constexpr std::size_t kShown = 10;

}  // namespace

void TensorListing::Names::add(const std::string& place, const std::string& type) {
  if (++count <= kShown) shown.push_back(place.empty() ? type : '"' + place + "\" (" + type + ')');
}

std::string TensorListing::Names::text() const {
  std::string text;
  for (const std::string& name : shown) text += (text.empty() ? "" : ", ") + name;
  if (count > shown.size()) text += " and " + std::to_string(count - shown.size()) + " more";
  return text;
}

void TensorListing::add(const std::string& place, const TensorType& type) {
  supported_.add(place, shows_more() ? std::string(to_string(type.dtype)) + ' ' + to_string(type.shape) : "");
}

void TensorListing::add_unknown(const std::string& place, const std::string& what) {
  has_unknown_ = true;
  add_unsupported(place, what);
}

bool TensorListing::shows_more_unsupported() const { return unsupported_.count < kShown; }
bool TensorListing::shows_more() const { return supported_.count < kShown; }

std::string TensorListing::refusal() const {
  if (unsupported_.count == 0) return "";
  const std::string others = supported_.count == 0 ? "" : "; the others are " + supported_.text();
  const std::string skip = ". LoadOptions{.skip_unsupported = true} leaves them out";
  if (!has_unknown_) {
    return "expected tensors of dtypes that Teff loads, got " + unsupported_.text() +
           (others.empty() ? "; there are no others" : others) + skip;
  }
  return "expected tensors, arrays, numbers, text, and lists, tuples, dicts, sets and frozensets of them, got " +
         unsupported_.text() + ", of which nothing was run" + others + skip +
         ", LoadOptions{.inert_objects = true} reads the attributes of objects without their classes";
}

void TensorListing::check() const {
  if (std::string text = refusal(); !text.empty()) throw UnsupportedError(text);
}

}  // namespace teff::serialize
