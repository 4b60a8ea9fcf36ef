// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

#include "nn/nets.h"
#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/engine/profiler.h"
#include "teff/engine/random.h"
#include "teff/nn/nn.h"

namespace teff::nn_testing {
namespace {

std::vector<ProfilerEvent> events_of(const Profiler& profiler, const std::string& op, const std::string& scope) {
  std::vector<ProfilerEvent> found;
  for (ProfilerEvent& event : profiler.events()) {
    if (event.op == op && event.scope == scope) found.push_back(std::move(event));
  }
  return found;
}

}  // namespace

TEST_CASE("the profiler records forward and backward by module, with FLOP and bytes") {
  manual_seed(0);
  Net net;
  const Tensor images = randn({2, 3, 32, 32});
  Profiler profiler(nn::scope_names(net));
  cross_entropy(net(images), tensor<std::int64_t>({1, 2})).backward();
  profiler.stop();
  relu(images);  // after the end: not recorded

  const auto conv = events_of(profiler, "conv2d", "conv1");
  REQUIRE(conv.size() == 1);
  CHECK(conv[0].flop == 2.0 * (2 * 6 * 28 * 28) * (3 * 5 * 5));
  CHECK(conv[0].bytes == 4.0 * (2 * 3 * 32 * 32 + 6 * 3 * 5 * 5 + 6 + 2 * 6 * 28 * 28));
  CHECK(conv[0].duration_ns > 0);
  const auto backward = events_of(profiler, "conv2d backward", "conv1");
  REQUIRE(backward.size() == 1);
  CHECK(backward[0].flop == conv[0].flop);  // the images want no gradient
  CHECK(events_of(profiler, "conv2d backward", "conv2")[0].flop == 2 * events_of(profiler, "conv2d", "conv2")[0].flop);
  CHECK(events_of(profiler, "linear", "fc3").size() == 1);
  CHECK(events_of(profiler, "relu", "").size() == 4);
}

TEST_CASE("the profiler knows the modules that a graph came from") {
  manual_seed(0);
  Net net;
  nn::GraphModule model = nn::capture(net, randn({2, 3, 32, 32}));
  Profiler profiler(nn::scope_names(model));
  model(randn({2, 3, 32, 32}));
  CHECK(events_of(profiler, "conv2d", "conv2").size() == 1);
}

TEST_CASE("the profiler knows the modules that a session's operations came from, in copies of it, too") {
  manual_seed(0);
  Net net;
  net.eval();
  nn::GraphModule model = nn::capture(net, randn({2, 3, 32, 32}));
  nn::InferenceSession session(model, {{2, 3, 32, 32}});
  nn::InferenceSession copy = session;
  Profiler profiler(nn::scope_names(session));
  session.run(randn({2, 3, 32, 32}));
  copy.run(randn({2, 3, 32, 32}));
  CHECK(events_of(profiler, "conv2d_clamp", "conv2").size() == 2);
  CHECK(events_of(profiler, "linear_clamp", "fc1").size() == 2);
}

TEST_CASE("the profiler prints a table by cost and a Chrome trace") {
  Profiler profiler;
  relu(randn({100, 100}));
  relu(randn({100, 100}));
  std::ostringstream table, trace;
  table << profiler;
  profiler.write_chrome_trace(trace);
  CHECK(table.str().starts_with("operation  module   calls   total us    mean us   share  GFLOP/s    GB/s\nrelu "));
  CHECK(table.str().find("       2 ") != std::string::npos);
  CHECK(trace.str().starts_with("{\"traceEvents\":[\n{\"ph\":\"X\",\"name\":\"relu\",\"ts\":"));
  CHECK(std::ranges::count(trace.str(), 'X') == 2);
}

TEST_CASE("there is one profiler at a time") {
  Profiler profiler;
  CHECK_THROWS_WITH_AS(Profiler(), "Profiler: expected one at a time, got a second one", Error);
  profiler.stop();
  CHECK_NOTHROW(Profiler());
}

}  // namespace teff::nn_testing
