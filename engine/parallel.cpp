// SPDX-License-Identifier: MIT
#include "teff/engine/parallel.h"

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
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

/// The indices of a job that a thread takes first; it then helps with those of others.
struct alignas(64) Share {
  std::atomic<std::int64_t> next{0};
  std::int64_t end = 0;
};

/// One call of parallel_run. Each thread has a share of neighbouring indices, the same one in every job of this count:
/// so it often finds in its cache what it wrote in the job before.
struct Job {
  void (*body)(void*, std::int64_t) = nullptr;
  void* context = nullptr;
  std::vector<Share>* shares = nullptr;
  std::atomic<bool> failed{false};
  std::exception_ptr error;

  void work(std::size_t thread) {
    inside_task = true;
    for (std::size_t i = 0; i < shares->size(); ++i) work_on((*shares)[(thread + i) % shares->size()]);
    inside_task = false;
  }

 private:
  void work_on(Share& share) {
    for (std::int64_t i = share.next.fetch_add(1); i < share.end; i = share.next.fetch_add(1)) {
      try {
        if (!failed) body(context, i);
      } catch (...) {
        if (!failed.exchange(true)) error = std::current_exception();
      }
    }
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
    std::vector<Share> shares(static_cast<std::size_t>(count));
    std::lock_guard use(use_);
    stop();
    shares_ = std::move(shares);
    threads_ = count;
  }

  /// False if another thread is using the pool: the caller then does the work alone.
  bool run(Job& job, std::int64_t count) {
    std::unique_lock use(use_, std::try_to_lock);
    if (!use.owns_lock()) return false;
    if (workers_.empty()) start();
    share_out(count);
    job.shares = &shares_;
    {
      std::lock_guard lock(mutex_);
      job_ = &job;
      generation_.fetch_add(1, std::memory_order_release);
    }
    if (sleeping_.load() > 0) wake_.notify_all();
    job.work(0);
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
    for (std::size_t i = 1; i < shares_.size(); ++i) {
      workers_.emplace_back([this, i, seen = generation_.load()] { loop(i, seen); });
    }
  }

  void share_out(std::int64_t count) {
    const auto threads = static_cast<std::int64_t>(shares_.size());
    const std::int64_t each = count / threads, more = count % threads;    // the first take one more
    std::int64_t begin = 0;
    for (std::int64_t i = 0; i < threads; ++i) {
      Share& share = shares_[static_cast<std::size_t>(i)];
      share.next.store(begin, std::memory_order_relaxed);
      share.end = begin += each + (i < more ? 1 : 0);
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

  void loop(std::size_t thread, std::uint64_t seen) {
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
      job->work(thread);
      active_.fetch_sub(1, std::memory_order_release);
    }
  }

  std::mutex use_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::thread> workers_;
  std::atomic<int> threads_{default_threads()};
  std::vector<Share> shares_ = std::vector<Share>(static_cast<std::size_t>(size()));    // of the threads
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
  job.body = body;
  job.context = context;
  if (!pool().run(job, count)) {
    for (std::int64_t i = 0; i < count; ++i) body(context, i);
  }
  if (job.error) std::rethrow_exception(job.error);
}

}  // namespace teff
