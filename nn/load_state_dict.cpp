// SPDX-License-Identifier: MIT

// Loading is planned completely, conversions included, before the first tensor of the module changes.

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/nn/module.h"
#include "teff/nn/module_members.h"
#include "teff/nn/text.h"

namespace teff::nn {
namespace {

using detail::quoted;
using detail::StateEntry;

/// Names in front of a key that a proposal may contain: a bound on the work for keys made of dots.
constexpr int kDeepestPrefix = 8;

std::string torch_size(const Shape& shape) { return "torch.Size(" + to_string(shape) + ")"; }

/// max |a - b| over two tensors of equal shape; where a conversion met NaN it is NaN.
double largest_difference(const Tensor& a, const Tensor& b) {
  const Tensor x = a.to(DType::float64), y = b.to(DType::float64);
  double largest = 0;
  for (std::size_t i = 0; i < x.span<double>().size(); ++i) {
    const double from = x.data<double>()[i], to = y.data<double>()[i];
    const double error = from == to || (std::isnan(from) && std::isnan(to)) ? 0 : std::abs(from - to);
    if (std::isnan(error)) return error;
    largest = std::max(largest, error);
  }
  return largest;
}

class Loader {
 public:
  Loader(const Module& module, const LoadStateDictOptions& options)
      : options_(options), name_(module.type_name()), targets_(detail::persistent_state(module)) {}

  Commit prepare(const Dict& state_dict) {
    const NoGradGuard no_grad;
    read(state_dict);
    for (const StateEntry& target : targets_) plan(target);
    find_unexpected();
    check();
    protect_sources();
    return [copies = std::move(copies_)] {
      const NoGradGuard guard;
      for (const auto& [target, source] : copies) {
        if (!target.is(source)) target.copy_(source);
      }
    };
  }

  LoadReport& report() { return report_; }

 private:
  /// The dict under the names to look up.
  void read(const Dict& state_dict) {
    for (const auto& [key, value] : state_dict) {
      std::string name = renamed(key);
      if (values_.contains(name)) {
        problems_.push_back("renaming gives two keys the name " + quoted(name) + ". ");
      } else {
        values_.insert(std::move(name), value);
      }
    }
  }

  std::string renamed(const std::string& key) const {
    std::string name = options_.rename ? options_.rename(key) : key;
    if (name.starts_with(options_.remove_prefix)) name.erase(0, options_.remove_prefix.size());
    return options_.add_prefix + name;
  }

  void plan(const StateEntry& target) {
    const Value* value = values_.find(target.name);
    if (value == nullptr) {
      plan_missing(target);
    } else if (!value->is_tensor() || !value->as_tensor().defined()) {
      problems_.push_back("While copying the parameter named " + quoted(target.name) +
                          ", expected torch.Tensor or Tensor-like object from checkpoint but received " +
                          (value->is_tensor() ? "an undefined tensor" : std::string(to_string(value->kind()))));
    } else {
      plan_copy(target, value->as_tensor());
    }
  }

  /// State dicts of BatchNorm's first version, before PyTorch 0.4.1, hold no counter: it starts again.
  void plan_missing(const StateEntry& target) {
    constexpr std::string_view kCounter = "num_batches_tracked";
    const std::string& name = target.name;
    if (name.ends_with(kCounter) && values_.contains(name.substr(0, name.size() - kCounter.size()) + "running_mean")) {
      copies_.emplace_back(target.tensor, zeros_like(target.tensor));
    } else {
      report_.missing_keys.push_back(name);
    }
  }

  void plan_copy(const StateEntry& target, const Tensor& source) {
    const bool number = target.tensor.dim() == 0 && source.dim() == 1 && source.numel() == 1;  // PyTorch 0.3
    if (source.shape() != target.tensor.shape() && !number) {
      plan_mismatched(target, source);
    } else if (source.dtype() != target.tensor.dtype() && !options_.convert_dtype) {
      problems_.push_back("dtype mismatch for " + quoted(target.name) + ": copying a param with dtype " +
                          std::string(to_string(source.dtype())) + " from checkpoint, the dtype in current model is " +
                          std::string(to_string(target.tensor.dtype())) + ". ");
    } else {
      report_.loaded_keys.push_back(target.name);
      copies_.emplace_back(target.tensor, number ? source.view(Shape{}) : source);
      convert(target, copies_.back().second);
    }
  }

  void plan_mismatched(const StateEntry& target, const Tensor& source) {
    if (options_.skip_mismatched_shapes) {
      report_.mismatched.push_back({target.name, source.shape(), target.tensor.shape()});
    } else {
      problems_.push_back("size mismatch for " + target.name + ": copying a param with shape " +
                          torch_size(source.shape()) + " from checkpoint, the shape in current model is " +
                          torch_size(target.tensor.shape()) + ".");
    }
  }

  void convert(const StateEntry& target, Tensor& source) {
    const DType from = source.dtype(), to = target.tensor.dtype();
    if (from == to) return;
    const Tensor converted = source.to(to);
    report_.converted.push_back({target.name, from, to, largest_difference(source, converted)});
    source = converted;
  }

  void find_unexpected() {
    std::set<std::string_view> expected;  // not hashed: all keys of a file could have one hash
    for (const StateEntry& target : targets_) expected.insert(target.name);
    for (const auto& [key, value] : values_) {
      if (!expected.contains(key)) report_.unexpected_keys.push_back(key);
    }
  }

  /// @throws StateDictError with every problem that was found.
  void check() {
    if (options_.strict) {
      add_keys("Unexpected", report_.unexpected_keys);
      add_keys("Missing", report_.missing_keys);
    }
    if (nothing_matches()) {
      if (problems_.empty()) problems_.emplace_back("None of the keys in state_dict matches one of the module. ");
      const std::string nested = nested_hint(), hint = nested.empty() ? renaming_hint() : nested;
      if (!hint.empty()) problems_.push_back(hint);
    }
    if (problems_.empty()) return;
    std::string text = "Error(s) in loading state_dict for " + name_ + ":";
    for (const std::string& problem : problems_) text += "\n\t" + problem;
    throw StateDictError(text);
  }

  void add_keys(const char* what, const std::vector<std::string>& keys) {
    if (keys.empty()) return;
    std::string text = std::string(what) + " key(s) in state_dict: ";
    for (const std::string& key : keys) text += (&key == &keys.front() ? "" : ", ") + quoted(key);
    problems_.insert(problems_.begin(), text + ". ");
  }

  bool nothing_matches() const {
    return report_.missing_keys.size() == targets_.size() && (!targets_.empty() || !values_.empty());
  }

  /// A checkpoint holds the state dict beside other things.
  std::string nested_hint() const {
    std::size_t most = 0;
    std::string hint;
    for (const auto& [key, value] : values_) {
      if (!value.is_dict()) continue;
      const Dict& inner = value.as_dict();
      const auto found = static_cast<std::size_t>(std::count_if(
          targets_.begin(), targets_.end(), [&](const StateEntry& target) { return inner.contains(target.name); }));
      if (found <= most) continue;
      most = found;
      hint = "The entry " + quoted(key) + " has " + std::to_string(found) + " of the " +
             std::to_string(targets_.size()) + " keys: load_state_dict(dict.at(" + quoted(key) + ").as_dict()). ";
    }
    return hint;
  }

  /// How many of `longer` are one of `shorter` with something in front, by what that is: "module." or "net.features.".
  template <class Longer, class Shorter>
  static std::map<std::string, std::size_t> prefixes(const Longer& longer, const Shorter& shorter) {
    const std::set<std::string_view> ends(shorter.begin(), shorter.end());
    std::map<std::string, std::size_t> counts;
    for (const std::string_view name : longer) {
      std::size_t dot = name.find('.');
      for (int depth = 0; depth < kDeepestPrefix && dot != std::string_view::npos; ++depth) {
        if (ends.contains(name.substr(dot + 1))) ++counts[std::string(name.substr(0, dot + 1))];
        dot = name.find('.', dot + 1);
      }
    }
    return counts;
  }

  /// The prefix by which most keys would match, as an option to load with.
  std::string renaming_hint() const {
    std::vector<std::string_view> keys, names;
    for (const DictItem& item : values_) keys.push_back(item.key);
    for (const StateEntry& target : targets_) names.push_back(target.name);
    std::size_t most = 0;
    std::string hint;
    const auto propose = [&](const auto& counts, const char* how, const char* option) {
      for (const auto& [prefix, count] : counts) {
        if (count <= most) continue;
        most = count;
        hint = std::to_string(count) + " of " + std::to_string(keys.size()) + " keys match " + how + ' ' +
               quoted(prefix) + " in front: load with {." + option + " = " + quoted(prefix) + "}.";
      }
    };
    propose(prefixes(keys, names), "without", "remove_prefix");
    propose(prefixes(names, keys), "with", "add_prefix");
    return hint;
  }

  /// A dict may hold the module's own tensors, under other names: what is still to be read must not be overwritten.
  void protect_sources() {
    for (auto& [target, source] : copies_) {
      if (target.is(source)) continue;
      for (const StateEntry& written : targets_) {
        if (!source.shares_memory_with(written.tensor)) continue;
        source = source.clone();
        break;
      }
    }
  }

  const LoadStateDictOptions& options_;
  const std::string name_;
  const std::vector<StateEntry> targets_;
  Dict values_;
  std::vector<std::pair<Tensor, Tensor>> copies_;  // module's tensor, new value
  std::vector<std::string> problems_;
  LoadReport report_;
};

}  // namespace

Commit Module::prepare_load(const Dict& state_dict, const LoadStateDictOptions& options, LoadReport* report) {
  Loader loader(*this, options);
  Commit commit = loader.prepare(state_dict);
  if (report != nullptr) *report = std::move(loader.report());
  return commit;
}

LoadReport Module::load_state_dict(const Dict& state_dict, const LoadStateDictOptions& options) {
  LoadReport report;
  prepare_load(state_dict, options, &report)();
  return report;
}

}  // namespace teff::nn
