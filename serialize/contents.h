// SPDX-License-Identifier: MIT
#pragma once

// Private: a file of any format whose tensors were not read yet.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "teff/engine/dict.h"
#include "teff/nn/graph/graph_module.h"
#include "teff/serialize/file_entry.h"
#include "teff/serialize/options.h"

namespace teff::serialize {

/// Where the elements of a tensor are.
struct StoragePlace {
  std::size_t storage = 0;  // equal for the tensors that share all their elements
  std::optional<std::uint64_t> offset;
  std::optional<std::uint64_t> checksum;
};

struct Damage {
  std::optional<std::size_t> storage;  // whose elements are damaged; none: something else is
  std::string reason;
};

/// Each tensor in it is a stand-in: it has a type, and values are for read() to get.
class Contents {
 public:
  virtual ~Contents() = default;

  int version = 0;
  Dict metadata;
  Dict structure;
  std::optional<nn::GraphModuleData> model;
  std::vector<UnsupportedEntry> unsupported;  // which structure leaves out
  std::string refusal;                        // what load says because of them; empty if there are none
  std::vector<FileModule> modules;
  std::vector<FileOperator> operators;
  bool has_skipped = false;  // the reader has left out what the options skip

  virtual StoragePlace place_of(const Tensor& stand_in) const = 0;
  /// The tensors, checked; those that share elements share memory. @throws FormatError, IoError.
  virtual std::vector<Tensor> read(std::span<const Tensor> stand_ins) const = 0;
  /// Whether the file has checksums of its elements, so that check() sees each change of them.
  virtual bool has_checksums() const { return true; }
  /// Checks all that was not checked when the file was opened.
  virtual std::vector<Damage> check() const = 0;
};

/// Calls function(tensor) for every value that is a tensor, in its order: `value` itself, or what it holds.
template <class AnyValue, class Function>
void for_each_tensor(AnyValue& value, Function&& function) {
  if (value.is_tensor()) {
    function(value);
  } else if (value.is_list()) {
    for (auto& item : value.as_list()) for_each_tensor(item, function);
  } else if (value.is_dict()) {
    for (auto& item : value.as_dict()) for_each_tensor(item.value, function);
  }
}

/// @throws FormatError that lists the entries that Teff has no place for, unless the options leave them out.
void check_supported(const Contents& contents, const LoadOptions& options);

/// Takes the entries to skip out of the structure, unless the reader has. @throws FormatError if one is not there.
void leave_out(Contents& contents, const LoadOptions& options);

/// The value with its tensors read.
Value read_value(const Contents& contents, Value value);

}  // namespace teff::serialize
