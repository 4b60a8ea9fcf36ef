// SPDX-License-Identifier: MIT
// A program of its own, for it replaces operator new: training and inference in a steady state must not call it.

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <new>

#include <teff/teff.h>

#include "allocations/counting.h"
#include "examples/models/net.h"

#ifdef __GLIBC__
#include <dlfcn.h>
#include <pthread.h>
#endif

namespace {

std::atomic<long> news{0}, locks{0};

void* counted(std::size_t bytes, std::size_t alignment) {
  ++news;
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

#ifdef __GLIBC__
/// In the place of the C library's, which it calls.
extern "C" int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  using Lock = int (*)(pthread_mutex_t*);
  static const auto lock = reinterpret_cast<Lock>(dlsym(RTLD_NEXT, "pthread_mutex_lock"));
  ++locks;
  return lock(mutex);
}
#endif

teff::testing::Demands teff::testing::demands_of(const std::function<void()>& work) {
  for (int i = 0; i < 5; ++i) work();
  reset_peak_memory_stats();
  const std::size_t bytes = memory_stats().bytes_in_use;
  const long news_before = news, locks_before = locks;
  for (int i = 0; i < 10; ++i) work();
  const long news_made = news - news_before, locks_made = locks - locks_before;
  return {news_made, memory_stats().peak_bytes_in_use - bytes, locks_made};
}

namespace {

/// Calls of operator new.
long count(const char* name, const std::function<void()>& work) {
  const long made = teff::testing::demands_of(work).news;
  std::printf("%s: %ld calls of operator new in 10 rounds\n", name, made);
  return made;
}

/// Whether what counts counts.
bool counters_work() {
  std::mutex mutex;
  const teff::testing::Demands demands = teff::testing::demands_of([&] {
    const std::lock_guard guard(mutex);
    ::operator delete(::operator new(4));  // which, unlike new int, no compiler leaves out
    teff::empty({100});
  });
  if (demands.news != 10 || demands.bytes < 400) return false;
#ifdef __GLIBC__
  if (demands.locks < 10) return false;
#endif
  return true;
}

}  // namespace

int main() {
  using namespace teff;
  set_num_threads(1);
  manual_seed(0);
  if (!counters_work()) {
    std::printf("the counters do not count\n");
    return 1;
  }
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
  return total == 0 && testing::count_demanding_sessions() == 0 ? 0 : 1;
}
