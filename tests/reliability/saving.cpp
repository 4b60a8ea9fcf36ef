// SPDX-License-Identifier: MIT

// Saves and loads that the system stops: calls that fail, and processes that are killed.
// Usage: teff_reliability_saving KILLS LOADS

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <random>
#include <sstream>

#include "examples/models/net.h"
#include "reliability/files.h"
#include "reliability/report.h"
#include "reliability/system_calls.h"

using namespace teff;
using namespace teff::reliability;
using teff::testing::TempFolder;

namespace {

struct Outcome {
  bool threw = false;
  bool io_error = false;
  std::string text;
};

template <class Body>
Outcome outcome_of(Body&& body) {
  try {
    body();
  } catch (const IoError& error) {
    return {true, true, error.what()};
  } catch (const std::exception& error) {
    return {true, false, error.what()};
  }
  return {};
}

/// A folder with one saved file.
struct Folder {
  explicit Folder(const Dict& content = version(1)) { save(content, path, {.durable = false}); }

  TempFolder folder;
  std::string path = folder / "model.teff";
};

std::string describe(const Fault& fault) {
  return std::string(to_string(fault.call)) + " number " + std::to_string(fault.number) + " failing with \"" +
         (fault.error == 0 ? "only " + std::to_string(fault.part) + " bytes" : std::strerror(fault.error)) + '"';
}

/// Calls body(fault) with the first, second, ... call failing until none is left to fail.
template <class Body>
long for_each_number(Fault fault, Body&& body) {
  long faults = 0;
  for (fault.number = 1;; ++fault.number) {
    if (!body(fault)) return faults;
    ++faults;
  }
}

/// After a fault the file is the old one, or, where the fault says nothing of the writing, the new one.
bool survives_failed_save(const Fault& fault, const Dict& content) {
  const Folder files;
  const std::string old_bytes = read_file(files.path);
  start_recording(&fault);
  const Outcome outcome = outcome_of([&] { save(content, files.path); });
  const bool happened = has_failed();
  start_recording();
  if (!happened) return false;
  const bool retried = fault.error == EINTR || fault.error == 0;
  const bool renamed = outcome.threw && outcome.text.find("the new file is in place") != std::string::npos;
  const std::string bytes = read_file(files.path);
  const std::string what = describe(fault) + ": " + (outcome.threw ? outcome.text : "no error");
  check(!outcome.threw || outcome.io_error, "R6: an IoError after " + what);
  check(outcome.threw || retried || fault.call == Call::close, "R6: an error after " + what);
  check(count_files(files.folder.path()) == 1, "R6: no temporary file after " + what);
  if (outcome.threw && !renamed) {
    check(bytes == old_bytes, "R6: the old file after " + what);
  } else {
    check(load(files.path) == content, "R6: the new file after " + what);
  }
  return true;
}

void test_failing_saves() {
  const Dict content = version(2);
  long faults = 0;
  const auto fail = [&](Call call, int error, std::size_t part = 0) {
    const long made = for_each_number({call, 0, error, part},
                                      [&](const Fault& fault) { return survives_failed_save(fault, content); });
    check(made > 0, std::string("R6: ") + to_string(call) + " is called by a save");
    faults += made;
  };
  for (const int error : {ENOSPC, EIO, EDQUOT, EINTR, EFBIG, EROFS}) fail(Call::pwritev, error);
  for (const std::size_t part : {1, 63, 64, 1000, 262143}) fail(Call::pwritev, 0, part);
  for (const int error : {EIO, ENOSPC, EDQUOT, EINTR}) fail(Call::fsync, error);
  for (const int error : {EIO, ENOSPC, EDQUOT}) fail(Call::close, error);
  for (const int error : {EACCES, ENOSPC, EIO, EXDEV, EROFS, EDQUOT}) fail(Call::rename, error);
  for (const int error : {EACCES, EMFILE, ENFILE, ENOSPC, EDQUOT, EROFS, EIO, ENOMEM}) fail(Call::open, error);
  for (const int error : {EIO, ENOMEM}) fail(Call::fstat, error);
  report("R6", "each system call of a save made to fail (ENOSPC, EIO, EDQUOT, EINTR, short writes, ...)",
         std::to_string(faults) + " faults: error, old file bit for bit, no temporary file");
}

/// A network in training.
struct Trained {
  explicit Trained(double value) {
    for (const Tensor& parameter : net.parameters()) {
      Tensor grad = full(parameter.shape(), value);
      (parameter * grad).sum().backward();
    }
    optimizer.step();
  }
  Dict state() const { return {{"net", net.state_dict()}, {"optimizer", optimizer.state_dict()}}; }
  void load_state(const Dict& state) {
    net.load_state_dict(state.at("net").as_dict());
    optimizer.load_state_dict(state.at("optimizer").as_dict());
  }
  /// That shares no memory with this one.
  Dict copy_of_state() const {
    std::stringstream stream;
    save(state(), stream);
    return load(stream);
  }

  Net net;
  optim::SGD optimizer{net.parameters(), {.lr = 0.1, .momentum = 0.9}};
};

/// A load either gives the content or throws; then the network and its optimiser are what they were.
bool survives_failed_load(const Fault& fault, const LoadOptions& options, const Folder& files, Trained& trained) {
  const Dict before = trained.copy_of_state();
  start_recording(&fault);
  const Outcome outcome = outcome_of([&] { trained.load_state(load(files.path, options)); });
  const bool happened = has_failed();
  start_recording();
  if (!happened) return false;
  const std::string what = describe(fault) + ": " + (outcome.threw ? outcome.text : "no error");
  const bool retried = fault.error == EINTR || (fault.error == 0 && fault.part > 0);
  check(outcome.threw != retried, "R18: an error after " + what);
  if (outcome.threw) check(trained.state() == before, "R20: network and optimiser as they were after " + what);
  return true;
}

void test_failing_loads() {
  manual_seed(0);
  Trained other(2), trained(3);
  const Folder files(other.state());
  long faults = 0;
  const auto fail = [&](Call call, int error, std::size_t part, const LoadOptions& options) {
    const long made = for_each_number({call, 0, error, part}, [&](const Fault& fault) {
      return survives_failed_load(fault, options, files, trained);
    });
    check(made > 0, std::string("R18: ") + to_string(call) + " is called by a load");
    faults += made;
  };
  for (const int error : {EIO, EINTR}) fail(Call::preadv, error, 0, {});
  for (const std::size_t part : {0, 1, 64, 1000}) fail(Call::preadv, 0, part, {});
  for (const int error : {EACCES, EMFILE, ENOENT, EIO}) fail(Call::open, error, 0, {});
  fail(Call::fstat, EIO, 0, {});
  fail(Call::mmap, ENOMEM, 0, {.mmap = true});
  report("R18, R20", "each system call of a load made to fail, with short reads and an early end",
         std::to_string(faults) + " faults: error or right values, network and optimiser bit for bit as they were");
}

/// A durable save: the file is flushed before it is renamed, the folder after.
void test_order() {
  const Folder files;
  for (const bool durable : {true, false}) {
    start_recording();
    save(version(2), files.path, {.durable = durable});
    const std::vector<Record> made = records();
    start_recording();
    std::string order;
    for (const Record& record : made) {
      if (record.call == Call::open && (record.flags & O_CREAT) != 0) {
        check((record.flags & O_EXCL) != 0, "R7: the temporary file is created exclusively");
        check(record.path.starts_with(files.folder.path() + '/'), "R7: in the folder of the file");
      }
      const std::string step = to_string(record.call);
      if (record.call == Call::fstat || record.call == Call::lstat || record.call == Call::faccessat) continue;
      if (!(step == "pwritev" && order.ends_with("pwritev "))) order += step + ' ';
    }
    check(order == (durable ? "open fchmod pwritev fsync close rename open fsync close "
                            : "open fchmod pwritev close rename "),
          "R7: the order of a save's calls, got " + order);
  }
  report("R7", "order of the system calls of a save", "write, fsync, close, rename, fsync of the folder");
}

/// Reading opens the given file and nothing else.
void test_reading_opens_one_file() {
  const Folder files;
  Net net;
  const std::string model = files.folder / "net.teff";
  save_model(net, randn({2, 3, 32, 32}), model, {.durable = false});
  long opened = 0;
  for (const std::string& path : {files.path, model}) {
    start_recording();
    path == model ? static_cast<void>(load_model(path, {.self_test = true})) : static_cast<void>(load(path));
    for (const Record& record : records()) {
      if (record.call != Call::open) continue;
      ++opened;
      check(record.path == path && (record.flags & O_ACCMODE) == O_RDONLY, "R12: a load opens only its file");
    }
  }
  start_recording();
  report("R12", "files that loads of a dictionary and a model open", all("R12: one for each", opened, 2, "their own"));
}

/// Runs the body in a process of its own. Returns its number.
template <class Body>
pid_t in_child(Body&& body) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  try {
    body();
  } catch (...) {
    ::_exit(1);
  }
  ::_exit(0);
}

bool was_killed(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

double saved_number(const std::string& path) {
  try {
    return number_of(load(path));
  } catch (const Error&) {
    return -1;
  }
}

void test_kills_at_calls() {
  long kills = 0, intact = 0;
  for (int call = 1;; ++call) {
    const Folder files;
    const pid_t child = in_child([&] {
      kill_before(call);
      save(version(2), files.path);
    });
    if (!was_killed(child)) break;
    ++kills;
    const double number = saved_number(files.path);
    if (number == 1 || number == 2) ++intact;
  }
  check(kills > 5, "R5: a save makes more than 5 calls that change files");
  report("R5", "killed before each system call of a save", all("R5: old or new", intact, kills, "intact"));
}

void test_random_kills(long kills) {
  const Folder files;
  std::minstd_rand random(1);
  long intact = 0, in_the_middle = 0;
  for (long i = 0; i < kills; ++i) {
    const pid_t child = in_child([&] {
      for (double number = 2;; ++number) save(version(number), files.path);
    });
    ::usleep(static_cast<useconds_t>(random() % 10'000));
    ::kill(child, SIGKILL);
    was_killed(child);
    if (saved_number(files.path) > 0) ++intact;
    for (const auto& entry : std::filesystem::directory_iterator(files.folder.path())) {
      if (entry.path() == files.path) continue;
      ++in_the_middle;
      std::filesystem::remove(entry.path());
    }
  }
  check(kills < 100 || in_the_middle > 0, "R5: some kills hit a save");
  report("R5", "killed at random times, " + std::to_string(in_the_middle) + " of them in the middle of a save",
         all("R5: old or new", intact, kills, "intact"));
}

void test_loads_beside_saves(long loads) {
  const Folder files;
  const auto save_all = [&](double first) {
    for (double number = first;; ++number) save(version(number, 5000), files.path, {.durable = false});
  };
  const pid_t savers[] = {in_child([&] { save_all(1'000'000); }), in_child([&] { save_all(2'000'000); })};
  long whole = 0, versions = 0;
  double last = 0;
  long i = 0;
  for (; i < loads || (versions < 10 && i < 100 * loads); ++i) {  // however slow the savers are to start
    const Dict loaded = load(files.path, {.mmap = i % 4 == 0});
    const double number = number_of(loaded);
    if (number > 0) ++whole;
    versions += number == last ? 0 : 1;
    last = number;
  }
  for (const pid_t saver : savers) {
    ::kill(saver, SIGKILL);
    was_killed(saver);
  }
  check(versions > 1, "R8: the file changed meanwhile");
  report("R8", "loads beside two processes that save, " + std::to_string(versions) + " versions seen",
         all("R8: one whole version", whole, i, "whole"));
}

}  // namespace

int main(int argc, char** argv) {
  const long kills = argc > 1 ? std::atol(argv[1]) : 30, loads = argc > 2 ? std::atol(argv[2]) : 300;
  set_num_threads(1);  // fork copies this thread only
  test_kills_at_calls();
  test_random_kills(kills);
  test_failing_saves();
  test_failing_loads();
  test_order();
  test_loads_beside_saves(loads);
  test_reading_opens_one_file();
  return failures == 0 ? 0 : 1;
}
