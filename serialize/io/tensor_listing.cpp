// SPDX-License-Identifier: MIT
#include "teff/serialize/io/tensor_listing.h"

#include "teff/engine/error.h"

namespace teff::serialize {
namespace {

constexpr std::size_t kShown = 10;

}  // namespace

void TensorListing::Names::add(const std::string& place, const std::string& type) {
  if (++count <= kShown) shown.push_back('"' + place + "\" (" + type + ')');
}

std::string TensorListing::Names::text() const {
  std::string text;
  for (const std::string& name : shown) text += (text.empty() ? "" : ", ") + name;
  if (count > shown.size()) text += " and " + std::to_string(count - shown.size()) + " more";
  return text;
}

void TensorListing::add(const std::string& place, const TensorType& type) {
  supported_.add(place, std::string(to_string(type.dtype)) + ' ' + to_string(type.shape));
}

void TensorListing::check() const {
  if (unsupported_.count == 0) return;
  throw UnsupportedError("expected tensors of dtypes that Teff has, got " + unsupported_.text() +
                         (supported_.count == 0 ? "; there are no others" : "; the others are " + supported_.text()));
}

}  // namespace teff::serialize
