// SPDX-License-Identifier: MIT
#include <cmath>
#include <filesystem>
#include <sstream>

#include "serialize/file_fixture.h"
#include "serialize/training/training_run.h"
#include "support/temp_file.h"

using namespace teff;
using namespace teff::testing;
namespace fs = std::filesystem;

namespace {

/// The least that can be saved.
struct Counter {
  std::int64_t count = 0;
  Dict state_dict() const { return {{"count", count}}; }
  Commit prepare_load(const Dict& dict) {
    return [this, loaded = dict.at("count").as_int()] { count = loaded; };
  }
};

struct Fixture {
  explicit Fixture(CheckpointsOptions options = {}) : options_(options) {
    options_.durable = false;
    state.add("counter", counter);
  }

  Checkpoints open() const { return Checkpoints(folder / "run", options_); }
  /// Saves with that step as the counter.
  std::string save(Checkpoints& checkpoints, std::int64_t step, std::optional<double> metric = {}) {
    state.step = counter.count = step;
    return checkpoints.save(state, metric);
  }
  /// The steps of the files that there are, in order.
  std::vector<std::int64_t> steps() const {
    std::vector<std::int64_t> steps;
    for (const auto& entry : fs::directory_iterator(folder / "run")) {
      steps.push_back(std::stoll(entry.path().filename().string().substr(std::string("checkpoint-").size())));
    }
    std::sort(steps.begin(), steps.end());
    return steps;
  }

  const TempFolder folder;
  Counter counter;
  TrainingState state;

 private:
  CheckpointsOptions options_;
};

using Steps = std::vector<std::int64_t>;

void damage(const std::string& path) {
  std::string bytes = read_file(path);
  bytes[bytes.size() - 1] ^= 1;
  write_file(path, bytes);
}

template <class T>
std::string printed(const T& value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

}  // namespace

TEST_CASE("the last checkpoints stay, and the best") {
  Fixture f({.keep_last = 2});
  Checkpoints checkpoints = f.open();
  CHECK(f.save(checkpoints, 5, 0.5) == f.folder / "run/checkpoint-0000000005.teff");
  f.save(checkpoints, 10, 0.25);
  f.save(checkpoints, 15);
  CHECK(f.steps() == Steps{10, 15});
  f.save(checkpoints, 20, NAN);
  f.save(checkpoints, 25, 0.25);
  CHECK(f.steps() == Steps{10, 20, 25});  // the earliest of equals is the best
  CHECK(checkpoints.best()->step == 10);
  f.save(checkpoints, 30, 0.125);
  CHECK(f.steps() == Steps{25, 30});
  CHECK(f.open().best()->metric == 0.125);
  f.save(checkpoints, 30, 9);  // again
  CHECK(f.steps() == Steps{25, 30});
  CHECK(checkpoints.best()->step == 25);
  CHECK(checkpoints.list().size() == 2);
}

TEST_CASE("the best may be the highest, or nothing") {
  Fixture high({.keep_last = 1, .higher_is_better = true}), none({.keep_last = 1, .keep_best = false});
  for (Fixture* f : {&high, &none}) {
    Checkpoints checkpoints = f->open();
    CHECK_FALSE(checkpoints.best().has_value());
    for (const auto& [step, metric] : {std::pair(1, 0.5), std::pair(2, 0.75), std::pair(3, 0.25)}) {
      f->save(checkpoints, step, metric);
    }
  }
  CHECK(high.steps() == Steps{2, 3});
  CHECK(none.steps() == Steps{3});
}

TEST_CASE("a new process knows the best as well") {
  Fixture f({.keep_last = 1});
  for (const auto& [step, metric] : {std::pair(1, 0.5), std::pair(2, 0.25), std::pair(3, 0.75), std::pair(4, 0.5)}) {
    Checkpoints checkpoints = f.open();
    f.save(checkpoints, step, metric);
  }
  CHECK(f.steps() == Steps{2, 4});
}

TEST_CASE("a run begins where there is no checkpoint") {
  Fixture f;
  Checkpoints checkpoints = f.open();
  const ResumeReport report = checkpoints.resume(f.state);
  CHECK_FALSE(report.loaded.has_value());
  CHECK(printed(report) == "no checkpoint");
  CHECK(checkpoints.list().empty());
}

TEST_CASE("resuming brings back counters, values and the metric") {
  Fixture f;
  Checkpoints checkpoints = f.open();
  f.state.epoch = 7;
  f.state.values = {{"losses", tensor<std::int32_t>({1, 2})}, {"note", "x"}};
  f.save(checkpoints, 3, 0.5);
  Fixture other;
  other.state.values = {{"old", 1}};
  const ResumeReport report = checkpoints.resume(other.state);
  CHECK(printed(report) == "resumed from " + f.folder.path() + "/run/checkpoint-0000000003.teff");
  CHECK(report.loaded->metric == 0.5);
  CHECK(other.counter.count == 3);
  CHECK(other.state.epoch == 7);
  CHECK(other.state.step == 3);
  CHECK(other.state.values == f.state.values);
}

TEST_CASE("a broken newest checkpoint falls back to the one before and says so") {
  Fixture f({.keep_last = 2});
  Checkpoints before = f.open();
  for (const std::int64_t step : {10, 20, 30, 40}) f.save(before, step);
  const std::string path = f.folder / "run/checkpoint-0000000040.teff";
  SUBCASE("a bit of a tensor") { damage(path); }
  SUBCASE("cut") { write_file(path, read_file(path).substr(0, 100)); }
  SUBCASE("empty") { write_file(path, ""); }
  SUBCASE("another file") { save({{"x", 1}}, path); }

  Checkpoints checkpoints = f.open();
  const ResumeReport report = checkpoints.resume(f.state);
  REQUIRE(report.loaded.has_value());
  CHECK(report.loaded->step == 30);
  CHECK(f.counter.count == 30);
  REQUIRE(report.refused.size() == 1);
  CHECK(report.refused[0].path == path);
  CHECK(printed(report) == "resumed from " + f.folder.path() +
                               "/run/checkpoint-0000000030.teff\npassed over: " + report.refused[0].reason);
  // It neither counts as one of the last two, nor is it touched before its step is reached again.
  const std::string bytes = read_file(path);
  f.save(checkpoints, 35);
  CHECK(f.steps() == Steps{30, 35, 40});
  CHECK(read_file(path) == bytes);
  CHECK(f.open().resume(f.state).loaded->step == 35);
  f.save(checkpoints, 40);
  CHECK(f.steps() == Steps{35, 40});
  CHECK(f.open().resume(f.state).loaded->step == 40);
}

TEST_CASE("files that cannot be read are never removed") {
  Fixture f({.keep_last = 1});
  Checkpoints checkpoints = f.open();
  const std::string path = f.save(checkpoints, 1);
  write_file(path, "not a checkpoint");
  for (const std::int64_t step : {2, 3, 4}) f.save(checkpoints, step);
  CHECK(f.steps() == Steps{1, 4});
  CHECK(checkpoints.list().size() == 1);
}

TEST_CASE("if no checkpoint can be read, nothing begins") {
  Fixture f;
  Checkpoints checkpoints = f.open();
  f.save(checkpoints, 1);
  f.save(checkpoints, 2);
  for (const CheckpointInfo& file : checkpoints.list()) damage(file.path);
  const std::string text = error_of<FormatError>([&] { f.open().resume(f.state); });
  CHECK(contains(text, "Checkpoints: expected a checkpoint that can be read in folder " + f.folder.path() +
                           "/run, got none:\n\tload: "));
  CHECK(contains(text, "checkpoint-0000000002.teff: "));
  CHECK(contains(text, "checkpoint-0000000001.teff: "));
}

TEST_CASE("a run that begins again does not mix with the checkpoints of another") {
  Fixture f;
  Checkpoints checkpoints = f.open();
  f.save(checkpoints, 100);
  CHECK(error_of<ValueError>([&] { f.save(checkpoints, 50); }) ==
        "Checkpoints: expected a step after that of the checkpoints in the folder, got 50 beside " + f.folder.path() +
            "/run/checkpoint-0000000100.teff: resume, or use another folder");
  CHECK(f.steps() == Steps{100});
}

TEST_CASE("other files in the folder do not matter") {
  Fixture f({.keep_last = 1});
  Checkpoints checkpoints = f.open();
  f.save(checkpoints, 1);
  for (const char* name : {"checkpoint-.teff", "checkpoint-9.pt", "checkpoint--9.teff", "checkpoint-9x.teff",
                           "checkpoint-99999999999999999999.teff", "x.teff"}) {
    write_file(f.folder / "run" + "/" + name, "x");
  }
  f.save(checkpoints, 2);
  CHECK(checkpoints.list().size() == 1);
  CHECK(checkpoints.resume(f.state).refused.empty());
  CHECK(fs::exists(f.folder / "run/checkpoint-99999999999999999999.teff"));
}

TEST_CASE("a folder that cannot be made or read is an error") {
  const TempFolder folder;
  write_file(folder / "file", "x");
  Counter counter;
  TrainingState state;
  state.add("counter", counter);
  Checkpoints checkpoints(folder / "file");
  CHECK(contains(error_of<IoError>([&] { checkpoints.save(state); }), "Checkpoints: read folder " + folder.path()));
  CHECK(contains(error_of<IoError>([&] { checkpoints.resume(state); }), "Not a directory"));
  CHECK(error_of<ValueError>([] { Checkpoints("x", {.keep_last = 0}); }) ==
        "Checkpoints: expected keep_last >= 1, got 0");
  state.step = -1;
  CHECK_THROWS_AS(checkpoints.save(state), ValueError);
}

TEST_CASE("parts have names of their own") {
  Counter counter;
  TrainingState state;
  state.add("counter", counter);
  CHECK(error_of<ValueError>([&] { state.add("counter", counter); }) ==
        "TrainingState: expected a name for each part, got \"counter\" twice");
  CHECK_THROWS_AS(state.add("", counter), ValueError);
  CHECK(same(state.state_dict().at("counter_state_dict").as_dict(), {{"count", 0}}));
}

TEST_CASE("a checkpoint that does not fit, wherever, changes nothing") {
  manual_seed(0);
  TrainingRun run;
  run.train_to(11);
  const Value saved = deep_copy(run.state.state_dict());
  run.train_to(19);
  run.state.values = {{"mine", 1}};
  const Value before = deep_copy(run.state.state_dict());

  // Each in its place among parts that fit; the last of them are checked last.
  using Change = std::function<void(Dict&)>;
  const auto part = [](Dict& dict, const char* name) -> Dict& {
    return dict.at(std::string(name) + "_state_dict").as_dict();
  };
  const auto group = [&](Dict& dict) -> Dict& {
    return part(dict, "optimizer").at("param_groups").as_list()[0].as_dict();
  };
  const auto moments = [&](Dict& dict) -> Dict& {
    return part(dict, "optimizer").at("state").as_dict().at("3").as_dict();
  };
  const std::vector<std::pair<const char*, Change>> changes{
      {"model key", [&](Dict& d) { part(d, "model").erase("fc.bias"); }},
      {"model shape", [&](Dict& d) { part(d, "model")["fc.bias"] = ones({4}); }},
      {"optimizer name", [&](Dict& d) { group(d).at("param_names").as_list()[0] = "head.weight"; }},
      {"optimizer option", [&](Dict& d) { group(d)["lr"] = -1; }},
      {"optimizer state", [&](Dict& d) { moments(d)["exp_avg"] = ones({9}); }},
      {"optimizer step", [&](Dict& d) { moments(d).erase("step"); }},
      {"scheduler option", [&](Dict& d) { part(d, "scheduler")["total_steps"] = 0; }},
      {"scheduler groups", [&](Dict& d) { part(d, "scheduler")["base_lrs"] = List{}; }},
      {"loader data", [&](Dict& d) { part(d, "loader")["dataset_size"] = 38; }},
      {"loader order", [&](Dict& d) { part(d, "loader")["epoch_start"] = ones({2}); }},
      {"generator", [&](Dict& d) { d["rng_state"] = tensor(std::vector<std::uint8_t>(5056)); }},
      {"epoch", [&](Dict& d) { d["epoch"] = "five"; }},
      {"step", [&](Dict& d) { d["step"] = -5; }},
      {"values", [&](Dict& d) { d["values"] = 3; }},
      {"no part", [&](Dict& d) { d.erase("loader_state_dict"); }},
      {"a part more", [&](Dict& d) { d["ema_state_dict"] = Dict{}; }},
      {"a part of another kind", [&](Dict& d) { d["model_state_dict"] = 1; }},
  };
  for (const auto& [name, change] : changes) {
    const std::string what = name;  // clang 14 captures no structured binding
    CAPTURE(what);
    Dict dict = deep_copy(saved).as_dict();
    change(dict);
    CHECK_THROWS_AS(run.state.load_state_dict(dict), StateDictError);
    CHECK(Value(run.state.state_dict()) == before);
  }
  run.state.load_state_dict(saved.as_dict());
  CHECK(Value(run.state.state_dict()) == saved);
}

TEST_CASE("a checkpoint of another model is refused by its file") {
  const TempFolder folder;
  Checkpoints checkpoints(folder.path(), {.durable = false});
  manual_seed(0);
  TrainingRun run;
  run.train_to(2);
  const std::string path = checkpoints.save(run.state);
  Counter counter;
  TrainingState other;
  other.add("counter", counter);
  other.epoch = 3;
  CHECK(error_of<StateDictError>([&] {
          checkpoints.resume(other);
        }).starts_with("Checkpoints: " + path + ": TrainingState: loaded state dict is not valid: "));
  CHECK(other.epoch == 3);
}
