// SPDX-License-Identifier: MIT

// Each process runs all tests; the first failure of one ends them all. With --fail=WAY the last process fails while
// the others wait for it.

#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <signal.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "distributed/group.h"
#include "teff/engine/error.h"

using namespace teff;
using distributed::ProcessGroup;

ProcessGroup& distributed_testing::group() {
  static ProcessGroup* const group = new ProcessGroup;  // main ends it
  return *group;
}

namespace {

void fail(const std::string& way, ProcessGroup& group) {
  if (way == "exception") throw Error("this process has failed");
  if (way == "abort") group.abort(3);
  if (way == "exit") std::exit(4);
  if (way == "signal") ::raise(SIGKILL);
}

int wait_for_failing(const std::string& way) {
  try {
    ProcessGroup group;
    if (group.rank() == group.size() - 1) fail(way, group);
    group.barrier();
  } catch (const Error&) {
    // Not reached: the group ends all processes when the exception leaves its scope.
  }
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string last = argv[argc - 1], prefix = "--fail=";
  if (last.starts_with(prefix)) return wait_for_failing(last.substr(prefix.size()));
  ProcessGroup& group = distributed_testing::group();
  doctest::Context context(argc, argv);
  context.setOption("abort-after", 1);
  if (group.rank() != 0) context.setOption("minimal", true);
  const int status = context.run();
  if (status != 0) group.abort(status);
  delete &group;
}
