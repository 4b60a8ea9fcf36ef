// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <thread>

#include "nn/nets.h"
#include "support/threads_guard.h"
#include "teff/engine/allocator.h"
#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/engine/parallel.h"
#include "teff/engine/profiler.h"
#include "teff/engine/random.h"
#include "teff/engine/testing.h"
#include "teff/nn/nn.h"

namespace teff::nn_testing {
namespace {

/// Convolution, batch norm and ReLU with a way around, dropout, and a constant: all that a session rewrites.
struct Residual : nn::Module {
  nn::Conv2d conv1{3, 8, 3, {.padding = 1}};
  nn::BatchNorm2d bn1{8};
  nn::Conv2d conv2{8, 8, 3, {.padding = 1, .bias = false}};
  nn::BatchNorm2d bn2{8};
  nn::Dropout dropout{0.5};
  nn::Linear fc{8, 5};
  TEFF_MODULE(Residual, conv1, bn1, conv2, bn2, dropout, fc)

  Tensor forward(const Tensor& input) override {
    const Tensor x = relu(bn1(conv1(input)));
    const Tensor y = relu(bn2(conv2(x)) + x);
    return fc(dropout(y.mean({2, 3}))) * full({5}, 2);
  }
};

/// A network whose batch norm has seen data, in evaluation mode.
template <class SomeModule>
SomeModule trained(const Shape& input) {
  manual_seed(1);
  SomeModule module;
  for (int i = 0; i < 3; ++i) module(randn(input) * 2.0 + 0.5);
  module.eval();
  return module;
}

}  // namespace

TEST_CASE("a session gives the bits of the model where nothing is folded, at every batch size") {
  manual_seed(0);
  Net net;
  net.eval();
  const nn::GraphModule model = nn::capture(net, randn({2, 3, 32, 32}));
  const NoGradGuard no_grad;
  for (const std::int64_t batch : {1, 3, 32}) {
    CAPTURE(batch);
    nn::InferenceSession session(model, {{batch, 3, 32, 32}});
    const Tensor images = randn({batch, 3, 32, 32});
    assert_close(session.run(images), net(images), {.rtol = 0, .atol = 0});
    assert_close(session.run(-images), net(-images), {.rtol = 0, .atol = 0});
  }
}

TEST_CASE("a session with folded batch norm agrees with the model to 1e-5") {
  Residual module = trained<Residual>({4, 3, 9, 9});
  const nn::GraphModule model = nn::capture(module, randn({2, 3, 9, 9}));
  nn::InferenceSession session(model, {{3, 3, 9, 9}});
  const NoGradGuard no_grad;
  const Tensor images = randn({3, 3, 9, 9});
  assert_close(session.run(images), module(images), {.rtol = 1e-5, .atol = 1e-5});
}

TEST_CASE("ReLU, ReLU6 and Hardtanh are part of the convolution before them, to the bit") {
  manual_seed(3);
  nn::Sequential module{nn::Conv2d(3, 8, 3),     nn::ReLU6(),          nn::Conv2d(8, 8, 3, {.groups = 8}),
                        nn::Hardtanh(-0.5, 0.7), nn::Conv2d(8, 40, 1), nn::ReLU()};
  module.eval();
  nn::InferenceSession session(nn::capture(module, randn({2, 3, 9, 9})), {{2, 3, 9, 9}});
  const NoGradGuard no_grad;
  const Tensor images = randn({2, 3, 9, 9}) * 20.0;
  CHECK(relu6(module[0](images)).max().item<float>() == 6);
  Profiler profiler;
  const Tensor result = session.run(images);
  profiler.stop();
  assert_close(result, module(images), {.rtol = 0, .atol = 0});
  std::vector<std::string> ops;
  for (const ProfilerEvent& event : profiler.events()) ops.push_back(event.op);
  CHECK(ops == std::vector<std::string>(3, "conv2d_clamp"));
}

TEST_CASE("batch norm by the statistics of the batch itself is not folded") {
  manual_seed(2);
  nn::Sequential module{nn::Conv2d(3, 4, 3), nn::BatchNorm2d(4, {.track_running_stats = false})};
  module.eval();
  nn::InferenceSession session(nn::capture(module, randn({2, 3, 6, 6})), {{3, 3, 6, 6}});
  const NoGradGuard no_grad;
  const Tensor images = randn({3, 3, 6, 6}) * 3.0 + 1.0;
  assert_close(session.run(images), module(images), {.rtol = 0, .atol = 0});
}

TEST_CASE("a session asks the system for no memory") {
  const teff::testing::ThreadsGuard guard(2);
  Residual module = trained<Residual>({4, 3, 9, 9});
  nn::InferenceSession session(nn::capture(module, randn({2, 3, 9, 9})), {{3, 3, 9, 9}});
  const Tensor images = randn({3, 3, 9, 9});
  session.run(images);
  session.run(images);
  // The other thread takes its scratch memory when it first helps, which it might do only later.
  REQUIRE(teff::testing::on_another_thread([&] { nn::InferenceSession(session).run(images); }));
  const MemoryStats before = memory_stats();
  for (int i = 0; i < 10; ++i) session.run(images);
  CHECK(memory_stats().system_allocations == before.system_allocations);
  CHECK(memory_stats().bytes_in_use == before.bytes_in_use);
}

TEST_CASE("two threads run copies of a session, or one model, at once") {
  manual_seed(0);
  Net net;
  net.eval();
  const nn::InferenceSession session(nn::capture(net, randn({2, 3, 32, 32})), {{4, 3, 32, 32}});
  const Tensor images = randn({4, 3, 32, 32});
  const Tensor expected = net(images).detach();
  bool equal[2] = {true, true};
  const auto work = [&](bool& all_equal) {
    const NoGradGuard no_grad;
    nn::InferenceSession own = session;
    for (int i = 0; i < 20; ++i) {
      all_equal = all_equal && allclose(own.run(images), expected, {.rtol = 0, .atol = 0}) &&
                  allclose(net(images), expected, {.rtol = 0, .atol = 0});
    }
  };
  std::thread first(work, std::ref(equal[0])), second(work, std::ref(equal[1]));
  first.join();
  second.join();
  CHECK(equal[0]);
  CHECK(equal[1]);
}

TEST_CASE("results whose turn is over lend their memory to later ones") {
  manual_seed(0);
  Net net;
  net.eval();
  nn::InferenceSession session(nn::capture(net, randn({2, 3, 32, 32})), {{1, 3, 32, 32}});
  CHECK(session.memory_bytes() > 0);
  CHECK(session.memory_bytes() < 6 * 28 * 28 * 4 * 3);
}

TEST_CASE("a session refuses what it was not made for") {
  Residual module = trained<Residual>({4, 3, 9, 9});
  nn::GraphModule model = nn::capture(module, randn({2, 3, 9, 9}));
  nn::InferenceSession session(model, {{1, 3, 9, 9}});
  CHECK_THROWS_WITH_AS(session.run(zeros({2, 3, 9, 9})),
                       "InferenceSession: expected an input float32 [1, 3, 9, 9], as the session was made for, got "
                       "float32 [2, 3, 9, 9]",
                       ShapeError);
  CHECK_THROWS_AS(session.run(zeros({1, 3, 9, 9}, {.dtype = DType::float64})), TypeError);
  CHECK_THROWS_AS(nn::InferenceSession(model, {{1, 4, 9, 9}}), ShapeError);
  CHECK_THROWS_AS(nn::InferenceSession(model, std::span<const Shape>()), ShapeError);
  {
    const NoGradGuard no_grad;
    module.fc.bias.fill_(1);
  }
  CHECK_THROWS_WITH_AS(session.run(zeros({1, 3, 9, 9})),
                       "InferenceSession: expected weights that stay what they were when the session was made, but "
                       "float32 [5] was changed in place; make a new session",
                       Error);
  model.train();
  CHECK_THROWS_WITH_AS(nn::InferenceSession(model, {{1, 3, 9, 9}}),
                       "InferenceSession: expected a model in evaluation mode, got one in training: call eval() first",
                       Error);
}

TEST_CASE("threads may draw random numbers while others capture") {
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([] {
      for (int step = 0; step < 20; ++step) rand({100});
    });
    threads.emplace_back([] {
      nn::Sequential net{nn::Linear(3, 3), nn::Dropout(0.5)};
      for (int step = 0; step < 3; ++step) nn::capture(net, ones({2, 3}));
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace teff::nn_testing
