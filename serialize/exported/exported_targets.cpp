// SPDX-License-Identifier: MIT
#include "teff/serialize/exported/exported_targets.h"

#include "teff/engine/error.h"
#include "teff/serialize/exported/exported_numbers.h"
#include "teff/serialize/operators/aten.h"

namespace teff::serialize {
namespace {

constexpr std::string_view kAten = "torch.ops.aten.", kNorm = "_native_batch_norm_legit";

}  // namespace

std::string operator_of(std::string_view target) {
  if (!target.starts_with(kAten)) return "";
  target.remove_prefix(kAten.size());
  return std::string(target.substr(0, target.find('.')));
}

bool is_in_place(const std::string& name) { return name.size() > 1 && name.ends_with('_') && !name.starts_with("__"); }

std::string without_place(const std::string& name) {
  return is_in_place(name) ? name.substr(0, name.size() - 1) : name;
}

bool is_assertion(std::string_view name) {
  return name == "_assert_async" || name == "_assert_scalar" || name == "_assert_tensor_metadata" ||
         name == "sym_constrain_range" || name == "sym_constrain_range_for_size";
}

bool is_item(std::string_view name) { return name == "item" || name == "_local_scalar_dense"; }

bool is_size(std::string_view name) { return name == "sym_size" || name == "sym_numel"; }

bool is_norm(std::string_view name) {
  return name.starts_with(kNorm) && (name == kNorm || name.substr(kNorm.size()) == "_functional");
}

bool has_loose_sizes(std::string_view name) { return name == "lstm" || name == "gru" || name.starts_with("rnn_"); }

bool is_known_target(const std::string& target) {
  const std::string name = operator_of(target);
  if (name.empty()) {
    try {
      return number_from(target, {}).has_value();
    } catch (const FormatError&) {
      return true;  // it is there, and wants numbers
    }
  }
  return is_assertion(name) || is_size(name) || is_norm(name) || name == "item" || name == "_local_scalar_dense" ||
         find_aten_operator(name) != nullptr || find_aten_operator(without_place(name)) != nullptr;
}

}  // namespace teff::serialize
