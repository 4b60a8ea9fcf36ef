// SPDX-License-Identifier: MIT

// Loading of an optimiser's state where not all of it fits.

#include <map>
#include <set>

#include "teff/engine/error.h"
#include "teff/nn/optim/optimizer.h"
#include "teff/nn/optim/option_checks.h"

namespace teff::optim {
namespace {

std::string id_text(const Value& id) { return id.is_text() ? id.as_text() : std::to_string(id.as_int()); }

/// The parameters that a dict lists: by group in their order, and by name.
struct SavedParameters {
  std::vector<std::vector<std::string>> groups;
  std::map<std::string, std::string> ids;    // by name
  std::map<std::string, std::string> names;  // by id

  explicit SavedParameters(const List& saved_groups) {
    for (const Value& value : saved_groups) {
      const Dict& group = value.as_dict();
      groups.emplace_back();
      for (const Value& id : group.at("params").as_list()) groups.back().push_back(id_text(id));
      const Value* group_names = group.find("param_names");
      if (group_names == nullptr || group_names->is_none()) continue;
      const List& list = group_names->as_list();
      for (std::size_t i = 0; i < list.size() && i < groups.back().size(); ++i) {
        ids.emplace(list[i].as_text(), groups.back()[i]);
        names.emplace(groups.back()[i], list[i].as_text());
      }
    }
  }

  /// "" if there is none.
  std::string find(const std::string& name, std::size_t group, std::size_t i) const {
    if (!name.empty() && !ids.empty()) {
      const auto found = ids.find(name);
      return found == ids.end() ? "" : found->second;
    }
    return group < groups.size() && i < groups[group].size() ? groups[group][i] : "";
  }
};

}  // namespace

std::string Optimizer::id_of(std::size_t place) const {
  std::size_t i = place;
  for (const ParameterList& group : groups_) {
    if (i < group.tensors.size()) return group.names.empty() ? std::to_string(place) : group.names[i];
    i -= group.tensors.size();
  }
  return std::to_string(place);
}

OptimizerLoadReport Optimizer::load_state_dict(const Dict& state_dict, const LoadOptimizerOptions& options) {
  OptimizerLoadReport report;
  const auto fill = [&](const Dict& state) {
    for (std::size_t place = 0; place < state_.size(); ++place) {
      (state.contains(std::to_string(place)) ? report.loaded : report.fresh).push_back(id_of(place));
    }
  };
  if (options.strict) {
    load_state_dict(state_dict);
    fill(this->state_dict().at("state").as_dict());
    return report;
  }
  detail::prepared(name_, [&] {
    const Dict fitting = fitting_part(state_dict, report.ignored);
    load_state_dict(fitting);
    fill(fitting.at("state").as_dict());
    return 0;
  });
  return report;
}

/// The dict as it would be if this optimiser had written it.
Dict Optimizer::fitting_part(const Dict& state_dict, std::vector<std::string>& ignored) const {
  const List& saved_groups = state_dict.at("param_groups").as_list();
  const Dict& saved_state = state_dict.at("state").as_dict();
  const SavedParameters saved(saved_groups);
  Dict result = this->state_dict(), state;
  List& groups = result.at("param_groups").as_list();
  std::set<std::string> taken;
  std::size_t place = 0;
  for (std::size_t group = 0; group < groups_.size(); ++group) {
    Dict& own = groups[group].as_dict();
    for (std::size_t i = 0; i < groups_[group].tensors.size(); ++i, ++place) {
      const std::string name = groups_[group].names.empty() ? "" : groups_[group].names[i];
      const std::string id = saved.find(name, group, i);
      const Value* of_parameter = id.empty() ? nullptr : saved_state.find(id);
      if (of_parameter == nullptr || !fits(of_parameter->as_dict(), place)) continue;
      taken.insert(id);
      state.insert(std::to_string(place), *of_parameter);
    }
    if (group >= saved_groups.size()) continue;
    for (const auto& [key, value] : saved_groups[group].as_dict()) {
      if (key != "params" && key != "param_names") own[key] = value;
    }
  }
  for (const auto& [id, value] : saved_state) {
    if (taken.contains(id)) continue;
    const auto name = saved.names.find(id);
    ignored.push_back(name == saved.names.end() ? id : name->second);
  }
  result["state"] = std::move(state);
  return result;
}

bool Optimizer::fits(const Dict& saved, std::size_t place) const {
  ParameterState state{.tensors = std::vector<Tensor>(layout_.tensors.size())};
  try {
    read_parameter(saved, place, state);
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace teff::optim
