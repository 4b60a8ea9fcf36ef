// SPDX-License-Identifier: MIT
#include "teff/engine/parallel.h"

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "teff/engine/error.h"

namespace teff {
namespace {

constexpr int kMaxThreads = 1024;
// How long an idle worker looks for the next job before it sleeps: longer than the gap between two operations
// of a running network, too short to matter for anyone else's work.
constexpr int kSpins = 4000;

thread_local bool inside_task = false;

void pause_cpu() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

/// One call of parallel_run: indices are handed out by a counter, so fast threads take more of them.
struct Job {
  std::int64_t count = 0;
  void (*body)(void*, std::int64_t) = nullptr;
  void* context = nullptr;
  std::atomic<std::int64_t> next{0};
  std::atomic<bool> failed{false};
  std::exception_ptr error;

  void work() {
    inside_task = true;
    for (std::int64_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) {
      try {
        body(context, i);
      } catch (...) {
        if (!failed.exchange(true)) error = std::current_exception();
        next.store(count);
      }
    }
    inside_task = false;
  }
};

int default_threads() {
  if (const char* text = std::getenv("TEFF_NUM_THREADS")) {
    char* end = nullptr;
    const long value = std::strtol(text, &end, 10);
    if (end != text && *end == '\0' && value >= 1 && value <= kMaxThreads) return static_cast<int>(value);
  }
  const unsigned cores = std::thread::hardware_concurrency();
  return cores == 0 ? 1 : static_cast<int>(cores < kMaxThreads ? cores : kMaxThreads);
}

/// The workers. `generation_` counts jobs; a worker that sees a new number joins the job, if it comes before the
/// caller has closed it. The caller closes the job before it waits, so no worker can touch it afterwards.
class Pool {
 public:
  ~Pool() { stop(); }

  int size() const { return threads_.load(std::memory_order_relaxed); }

  void resize(int count) {
    std::lock_guard use(use_);
    stop();
    threads_ = count;
  }

  /// False if another thread is using the pool: the caller then does the work alone.
  bool run(Job& job) {
    std::unique_lock use(use_, std::try_to_lock);
    if (!use.owns_lock()) return false;
    if (workers_.empty()) start();
    {
      std::lock_guard lock(mutex_);
      job_ = &job;
      generation_.fetch_add(1, std::memory_order_release);
    }
    if (sleeping_.load() > 0) wake_.notify_all();
    job.work();
    {
      std::lock_guard lock(mutex_);
      job_ = nullptr;
    }
    while (active_.load(std::memory_order_acquire) != 0) pause_cpu();
    return true;
  }

 private:
  void start() {
    stopping_ = false;
    for (int i = 1; i < size(); ++i) {
      workers_.emplace_back([this, seen = generation_.load()]() mutable { loop(seen); });
    }
  }

  void stop() {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
      generation_.fetch_add(1);
    }
    wake_.notify_all();
    for (std::thread& worker : workers_) worker.join();
    workers_.clear();
  }

  void loop(std::uint64_t seen) {
    for (;;) {
      for (int spin = 0; spin < kSpins && generation_.load(std::memory_order_acquire) == seen; ++spin) pause_cpu();
      std::unique_lock lock(mutex_);
      ++sleeping_;
      wake_.wait(lock, [&] { return generation_.load() != seen; });
      --sleeping_;
      seen = generation_.load();
      if (stopping_) return;
      Job* job = job_;
      if (job == nullptr) continue;
      active_.fetch_add(1);
      lock.unlock();
      job->work();
      active_.fetch_sub(1, std::memory_order_release);
    }
  }

  std::mutex use_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::thread> workers_;
  std::atomic<int> threads_{default_threads()};
  std::atomic<std::uint64_t> generation_{0};
  std::atomic<int> sleeping_{0};
  std::atomic<int> active_{0};
  Job* job_ = nullptr;
  bool stopping_ = false;
};

Pool& pool() {
  static Pool instance;
  return instance;
}

}  // namespace

int get_num_threads() { return pool().size(); }

void set_num_threads(int count) {
  if (count < 1 || count > kMaxThreads) {
    throw ValueError("set_num_threads: expected a count from 1 to 1024, got " + std::to_string(count));
  }
  if (inside_task) throw Error("set_num_threads: expected a call outside parallel_for, got one from a task of it");
  pool().resize(count);
}

void detail::parallel_run(std::int64_t count, void (*body)(void*, std::int64_t), void* context) {
  if (inside_task || pool().size() == 1) {
    for (std::int64_t i = 0; i < count; ++i) body(context, i);
    return;
  }
  Job job;
  job.count = count;
  job.body = body;
  job.context = context;
  if (!pool().run(job)) {
    for (std::int64_t i = 0; i < count; ++i) body(context, i);
  }
  if (job.error) std::rethrow_exception(job.error);
}

}  // namespace teff
