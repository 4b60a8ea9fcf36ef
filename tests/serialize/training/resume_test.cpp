// SPDX-License-Identifier: MIT

// Training that stops and goes on gives the bits of training that does not.

#include <stdlib.h>

#include <filesystem>

#include "serialize/file_fixture.h"
#include "serialize/training/training_run.h"
#include "support/temp_file.h"
#include "support/threads_guard.h"

using namespace teff;
using namespace teff::testing;

namespace {

constexpr std::int64_t kSteps = 20;
constexpr const char* kFolderVariable = "TEFF_TEST_CHECKPOINTS";
const CheckpointsOptions kNotDurable{.durable = false};

/// The checkpoint of a run that never stopped.
std::string whole_run(std::int64_t prefetch, std::vector<float>* losses = nullptr) {
  const TempFolder folder;
  manual_seed(0);
  TrainingRun run(prefetch);
  run.train_to(kSteps);
  if (losses != nullptr) *losses = run.losses;
  return read_file(Checkpoints(folder.path(), kNotDurable).save(run.state));
}

/// The checkpoint of a run that stopped after k steps.
std::string resumed_run(std::int64_t k, std::int64_t prefetch, std::vector<float>& losses) {
  const TempFolder folder;
  {
    manual_seed(0);
    TrainingRun run(prefetch);
    run.train_to(k);
    losses = run.losses;
    Checkpoints(folder.path(), kNotDurable).save(run.state);
  }
  manual_seed(12345);
  randn({7});
  TrainingRun run(prefetch);
  Checkpoints checkpoints(folder.path(), kNotDurable);
  const ResumeReport report = checkpoints.resume(run.state);
  REQUIRE(report.loaded.has_value());
  CHECK(report.loaded->step == k);
  CHECK(run.state.step == k);
  CHECK(run.state.epoch == (k - 1) / 8);
  run.train_to(kSteps);
  losses.insert(losses.end(), run.losses.begin(), run.losses.end());
  return read_file(checkpoints.save(run.state));
}

}  // namespace

TEST_CASE("N steps equal k steps, a stop, and N - k steps, for any number of threads") {
  std::vector<float> expected_losses, losses;
  const std::string expected = whole_run(0, &expected_losses);
  for (const int threads : {1, 2, 5}) {
    const ThreadsGuard guard(threads);
    for (const std::int64_t prefetch : {0, 2}) {
      CHECK(whole_run(prefetch) == expected);
      for (const std::int64_t k : {1, 5, 7, 8, 9, 16, 19}) {
        CAPTURE(threads);
        CAPTURE(prefetch);
        CAPTURE(k);
        CHECK(resumed_run(k, prefetch, losses) == expected);
        CHECK(losses == expected_losses);
      }
    }
  }
}

TEST_CASE("a loader with a generator of its own goes on as well, and so does one more generator") {
  /// Trains from `start`, or the beginning, to `last`; the noise is drawn at the beginning and at the end.
  const auto state_after = [](const Value& start, std::int64_t last) {
    manual_seed(start.is_none() ? 0 : 8);
    Generator order(4), noise(5);
    TrainingRun run(2, &order);
    run.state.add("noise", noise);
    if (!start.is_none()) run.state.load_state_dict(start.as_dict());
    if (start.is_none()) randn({3}, noise);
    run.train_to(last);
    if (last == kSteps) randn({3}, noise);
    return deep_copy(run.state.state_dict());
  };
  const Value expected = state_after({}, kSteps);
  for (const std::int64_t k : {1, 8, 11}) CHECK(state_after(state_after({}, k), kSteps) == expected);
}

// What the next test runs in a process of its own.
TEST_CASE("(in a new process) the run goes on" * doctest::skip()) {
  const char* folder = ::getenv(kFolderVariable);
  if (folder == nullptr) return;
  TrainingRun run(2);
  Checkpoints checkpoints(folder, kNotDurable);
  REQUIRE(checkpoints.resume(run.state).loaded.has_value());
  run.train_to(kSteps);
  checkpoints.save(run.state);
}

TEST_CASE("N steps equal k steps, a new process, and N - k steps") {
  const std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
  const std::string expected = whole_run(0);
  for (const auto& one : {std::pair(3, 1), std::pair(8, 3), std::pair(13, 2)}) {
    const int k = one.first, threads = one.second;
    CAPTURE(k);
    const TempFolder folder;
    manual_seed(0);
    TrainingRun run;
    run.train_to(k);
    Checkpoints(folder.path(), kNotDurable).save(run.state);
    const std::string command = std::string(kFolderVariable) + "='" + folder.path() +
                                "' TEFF_NUM_THREADS=" + std::to_string(threads) + " '" + program +
                                "' --no-skip --test-case='(in a new process) the run goes on' >/dev/null";
    REQUIRE(std::system(command.c_str()) == 0);
    CHECK(read_file(folder / "checkpoint-0000000020.teff") == expected);
  }
}
