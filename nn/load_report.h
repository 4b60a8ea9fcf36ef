// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "teff/engine/dtype.h"
#include "teff/engine/shape.h"

namespace TEFF_EXPORT teff {

struct LoadStateDictOptions {
  /// Whether missing and unexpected keys are errors.
  bool strict = true;
  /// Leaves parameters whose shape differs as they are instead of failing.
  bool skip_mismatched_shapes = false;
  /// Whether values of another dtype are converted; otherwise they are an error.
  bool convert_dtype = true;
  /// Gives each key of the dict the name to look up in the module: `[](const std::string& key) { return "net." + key;
  /// }`
  std::function<std::string(const std::string&)> rename = {};
  /// Then taken off the front of every key that begins with it: "module.", where a wrapper was saved.
  std::string remove_prefix = {};
  /// Then put in front of every key: "backbone.", where only that part was saved.
  std::string add_prefix = {};
};

/// The second half of a load in two steps: carries out what the first half has checked and prepared, and does not
/// fail. Call it at most once, before the object that it belongs to changes or goes.
using Commit = std::function<void()>;

/// What load_state_dict did.
struct LoadReport {
  struct Mismatch {
    std::string key;
    Shape loaded;   // in the dict
    Shape current;  // in the module
  };
  struct Conversion {
    std::string key;
    DType from;
    DType to;
    double largest_error;  // max |value - converted|
  };
  std::vector<std::string> loaded_keys;
  std::vector<std::string> missing_keys;     // in the module, not in the dict
  std::vector<std::string> unexpected_keys;  // in the dict, not in the module
  std::vector<Mismatch> mismatched;          // skipped
  std::vector<Conversion> converted;
};

/// `<All keys matched successfully>`, or `_IncompatibleKeys(missing_keys=['a'], unexpected_keys=[])`, as Python prints.
std::ostream& operator<<(std::ostream& out, const LoadReport& report);

}  // namespace teff
