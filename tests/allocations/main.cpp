// SPDX-License-Identifier: MIT
// A program of its own, for it replaces operator new: training and inference in a steady state must not call it.

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <new>

#include <teff/teff.h>

#include "examples/models/net.h"

namespace {

std::atomic<long> calls{0};

void* counted(std::size_t bytes, std::size_t alignment) {
  ++calls;
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  if (void* pointer = std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded)) return pointer;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t bytes) { return counted(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return counted(bytes, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return counted(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* pointer) noexcept { std::free(pointer); }
void operator delete(void* pointer, std::size_t) noexcept { std::free(pointer); }
void operator delete(void* pointer, std::align_val_t) noexcept { std::free(pointer); }
void operator delete(void* pointer, std::size_t, std::align_val_t) noexcept { std::free(pointer); }

namespace {

/// Calls of operator new in 10 rounds, after a few to warm up.
template <class Work>
long count(const char* name, Work&& work) {
  for (int i = 0; i < 5; ++i) work();
  const long before = calls;
  for (int i = 0; i < 10; ++i) work();
  const long made = calls - before;
  std::printf("%s: %ld calls of operator new in 10 rounds\n", name, made);
  return made;
}

}  // namespace

int main() {
  using namespace teff;
  set_num_threads(1);
  manual_seed(0);
  Net net;
  optim::SGD optimizer(net.parameters(), {.lr = 0.001, .momentum = 0.9});
  const Tensor images = randn({4, 3, 32, 32}), labels = randint(0, 10, {4});
  long total = count("training step", [&] {
    optimizer.zero_grad();
    cross_entropy(net(images), labels).backward();
    optimizer.step();
  });
  net.eval();
  total += count("inference", [&] {
    const NoGradGuard no_grad;
    net(images);
  });
  nn::InferenceSession session(nn::capture(net, images), {{4, 3, 32, 32}});
  total += count("inference session", [&] { session.run(images); });
  return total == 0 ? 0 : 1;
}
