// SPDX-License-Identifier: MIT
#include "teff/serialize/contents.h"

#include <algorithm>

#include "teff/engine/error.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/key_path.h"

namespace teff::serialize {

void check_supported(const Contents& contents, const LoadOptions& options) {
  if (!contents.refusal.empty() && !options.skip_unsupported) throw UnsupportedError(contents.refusal);
}

void leave_out(Contents& contents, const LoadOptions& options) {
  if (contents.has_skipped) return;
  for (const std::string& path : options.skip) {
    const auto unsupported = std::find_if(contents.unsupported.begin(), contents.unsupported.end(),
                                          [&](const UnsupportedEntry& entry) { return entry.path == path; });
    if (unsupported != contents.unsupported.end()) {
      contents.unsupported.erase(unsupported);
    } else if (!erase_at(contents.structure, path)) {
      throw FormatError("expected the entries to skip among those of the file, got \"" + escaped(path, 100) + '"');
    }
  }
}

Value read_value(const Contents& contents, Value value) {
  std::vector<Tensor> stand_ins;
  for_each_tensor(value, [&](const Value& tensor) { stand_ins.push_back(tensor.as_tensor()); });
  const std::vector<Tensor> tensors = contents.read(stand_ins);
  auto next = tensors.begin();
  for_each_tensor(value, [&](Value& tensor) { tensor = *next++; });
  return value;
}

}  // namespace teff::serialize
