// SPDX-License-Identifier: MIT
#include <algorithm>

#include "teff/engine/error.h"
#include "teff/engine/generator_state.h"
#include "teff/engine/random.h"
#include "teff/serialize/training/checkpoint.h"

namespace teff {
namespace {

constexpr const char* kOwnKeys[] = {"epoch", "step", "values", "rng_state"};

std::string key_of(const std::string& name) { return name + "_state_dict"; }

Value state_of(const Generator& generator) { return tensor(teff::detail::copy_of(generator).get_state()); }

std::int64_t to_count(const Dict& dict, const char* key) {
  const std::int64_t count = dict.at(key).as_int();
  if (count < 0) throw ValueError(std::string("expected ") + key + " >= 0, got " + std::to_string(count));
  return count;
}

}  // namespace

TrainingState& TrainingState::add(std::string name, Generator& generator) {
  return add_part({std::move(name),
                   [&generator] {
                     return Dict{{"state", state_of(generator)}};
                   },
                   [&generator](const Dict& dict) -> Commit {
                     return [&generator, loaded = teff::detail::to_generator(dict.at("state"))] {
                       teff::detail::assign(generator, loaded);
                     };
                   }});
}

TrainingState& TrainingState::add_part(Part part) {
  if (part.name.empty()) throw ValueError("TrainingState: expected a name for the part, got an empty one");
  const auto same = [&](const Part& other) { return other.name == part.name; };
  if (std::any_of(parts_.begin(), parts_.end(), same)) {
    throw ValueError("TrainingState: expected a name for each part, got \"" + part.name + "\" twice");
  }
  parts_.push_back(std::move(part));
  return *this;
}

Dict TrainingState::state_dict() const {
  Dict dict{{"epoch", epoch}, {"step", step}, {"values", values}, {"rng_state", state_of(default_generator())}};
  for (const Part& part : parts_) dict.insert(key_of(part.name), part.state_dict());
  return dict;
}

Commit TrainingState::prepare_load(const Dict& state_dict) {
  try {
    return prepare(state_dict);
  } catch (const StateDictError&) {
    throw;
  } catch (const Error& error) {
    throw StateDictError(std::string("TrainingState: loaded state dict is not valid: ") + error.what());
  }
}

void TrainingState::check_keys(const Dict& state_dict) const {
  Dict expected;
  for (const char* key : kOwnKeys) expected.insert(key, nullptr);
  for (const Part& part : parts_) expected.insert(key_of(part.name), nullptr);
  for (const DictItem& item : expected) static_cast<void>(state_dict.at(item.key));
  for (const DictItem& item : state_dict) {
    if (!expected.contains(item.key)) {
      throw ValueError("expected the parts of this run, got also \"" + item.key + '"');
    }
  }
}

Commit TrainingState::prepare(const Dict& state_dict) {
  check_keys(state_dict);
  std::vector<Commit> commits;
  for (const Part& part : parts_) commits.push_back(part.prepare_load(state_dict.at(key_of(part.name)).as_dict()));
  return [this, commits = std::move(commits), generator = teff::detail::to_generator(state_dict.at("rng_state")),
          loaded_epoch = to_count(state_dict, "epoch"), loaded_step = to_count(state_dict, "step"),
          loaded_values = state_dict.at("values").as_dict()]() mutable {
    for (const Commit& commit : commits) commit();
    teff::detail::assign(default_generator(), generator);
    epoch = loaded_epoch;
    step = loaded_step;
    values = std::move(loaded_values);
  };
}

}  // namespace teff
