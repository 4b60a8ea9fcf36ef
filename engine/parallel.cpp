// SPDX-License-Identifier: MIT
#include "teff/engine/parallel.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "teff/engine/error.h"
#include "teff/engine/process.h"

namespace teff {
namespace {

constexpr int kMaxThreads = 1024;
using Clock = std::chrono::steady_clock;
// How long an idle worker looks for the next job before it sleeps: longer than the gap between two operations of a
// running network, too short to matter for anyone else's work.
constexpr Clock::duration kPatience = std::chrono::microseconds(300);
// Waking a worker takes up to 10 us of the caller's time, and it works after 30. So the caller begins alone, and wakes
// them if it still has something to do after that long. Jobs that follow within kPatience count as one.
constexpr Clock::duration kWorthWaking = std::chrono::microseconds(20);
// A worker that looks for a job finds it after 250 ns if its core is near, and after 1000 if it is in another socket:
// as the cores of a virtual machine are at times, for seconds.
constexpr std::int64_t kFar = 600, kFarthest = 2000;
constexpr int kProbe = 64;  // how often something short is shared all the same, to see whether that has changed

thread_local bool inside_task = false;
thread_local bool caller_only = false;

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
  Clock::time_point opened;  // not set: workers slept

  /// Calls before_each() before each index that the thread takes.
  template <class BeforeEach>
  void work(std::size_t thread, const BeforeEach& before_each) {
    inside_task = true;
    for (std::size_t i = 0; i < shares->size(); ++i) work_on((*shares)[(thread + i) % shares->size()], before_each);
    inside_task = false;
  }

 private:
  template <class BeforeEach>
  void work_on(Share& share, const BeforeEach& before_each) {
    for (std::int64_t i = share.next.fetch_add(1); i < share.end; i = share.next.fetch_add(1)) {
      before_each();
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
    throw ValueError("TEFF_NUM_THREADS: expected a count from 1 to 1024, got \"" + std::string(text) + '"');
  }
  return std::min(detail::available_processors(), kMaxThreads);
}

/// The workers. `gate_` is the number of jobs so far, whether the last one is open, and how many workers are inside. A
/// worker that sees a new number enters if the job is open; the caller closes it before it waits for those inside, so
/// no worker can touch it afterwards. Nobody takes a lock but to sleep.
class Pool {
 public:
  /// `forgotten`: that of the parent process, if any.
  Pool(int threads, const Pool* forgotten)
      : forgotten_(forgotten), threads_(threads), shares_(static_cast<std::size_t>(threads)) {}

  int size() const { return threads_.load(std::memory_order_relaxed); }

  bool is_far() {
    if (delay_.load(std::memory_order_relaxed) < kFar) return false;
    return probe_.fetch_add(1, std::memory_order_relaxed) % kProbe != 0;
  }

  void resize(int count) {
    std::vector<Share> shares(static_cast<std::size_t>(count));
    std::lock_guard use(use_);
    stop();
    shares_ = std::move(shares);
    threads_ = count;
  }

  /// Lets the workers go, unless they are at work. The next job starts others.
  void rest() {
    if (inside_task) return;  // exit() in a task: this thread, or the one that it works for, has the lock
    std::unique_lock use(use_, std::try_to_lock);
    if (use.owns_lock()) stop();
  }

  /// False if another thread is using the pool: the caller then does the work alone.
  bool run(Job& job, std::int64_t count) {
    std::unique_lock use(use_, std::try_to_lock);
    if (!use.owns_lock()) return false;
    if (!started_) start();
    share_out(count);
    job.shares = &shares_;
    job_ = &job;
    const bool awake = sleeping_ == 0;
    if (awake) job.opened = Clock::now();
    open(kOpen);
    if (awake) {
      job.work(0, [] {});
    } else {
      work_and_wake(job);
    }
    gate_.fetch_and(~kOpen);
    while (inside(gate_.load(std::memory_order_acquire)) != 0) pause_cpu();
    return true;
  }

 private:
  static constexpr std::uint64_t kOpen = std::uint64_t{1} << 31, kNextJob = kOpen << 1;

  static std::uint64_t job_number(std::uint64_t gate) { return gate / kNextJob; }
  static std::uint64_t inside(std::uint64_t gate) { return gate % kOpen; }

  /// As many as the system lets us have: the others' shares are done by those that are there.
  void start() {
    stopping_ = false;
    started_ = true;
    workers_.reserve(shares_.size() - 1);
    const detail::SignalsBlocked blocked;
    try {
      for (std::size_t i = 1; i < shares_.size(); ++i) {
        workers_.emplace_back([this, i, seen = job_number(gate_.load())] { loop(i, seen); });
      }
    } catch (const std::system_error&) {
    }
  }

  void share_out(std::int64_t count) {
    const auto threads = static_cast<std::int64_t>(shares_.size());
    const std::int64_t each = count / threads, more = count % threads;  // the first take one more
    std::int64_t begin = 0;
    for (std::int64_t i = 0; i < threads; ++i) {
      Share& share = shares_[static_cast<std::size_t>(i)];
      share.next.store(begin, std::memory_order_relaxed);
      share.end = begin += each + (i < more ? 1 : 0);
    }
  }

  /// The caller's part of a job if workers sleep.
  void work_and_wake(Job& job) {
    if (Clock::now() - last_end_ > kPatience) busy_since_ = Clock::now();
    bool woken = false;
    job.work(0, [&] {
      if (woken || Clock::now() - busy_since_ < kWorthWaking) return;
      wake();
      woken = true;
    });
    last_end_ = Clock::now();
  }

  void stop() {
    stopping_ = true;
    open(0);
    wake();
    for (std::thread& worker : workers_) worker.join();
    workers_.clear();
    started_ = false;
  }

  /// The next number, for all workers to see.
  void open(std::uint64_t flag) {
    gate_.store((job_number(gate_.load(std::memory_order_relaxed)) + 1) * kNextJob | flag);
  }

  void wake() {
    { std::lock_guard lock(mutex_); }  // whoever saw the number before this one is waiting now
    wake_.notify_all();
  }

  void loop(std::size_t thread, std::uint64_t seen) {
    for (;;) {
      seen = wait_for_other(seen);
      if (stopping_) return;
      const std::uint64_t place = enter();
      if (place == 0) continue;
      if (place == 1 && job_->opened != Clock::time_point()) note_delay(Clock::now() - job_->opened);
      job_->work(thread, [] {});
      gate_.fetch_sub(1, std::memory_order_release);
    }
  }

  std::uint64_t wait_for_other(std::uint64_t seen) {
    std::uint64_t number = seen;
    const auto is_other = [&] { return (number = job_number(gate_.load())) != seen; };
    for (const Clock::time_point end = Clock::now() + kPatience; Clock::now() < end;) {
      for (int spin = 0; spin < 32; ++spin) {
        if (is_other()) return number;
        pause_cpu();
      }
    }
    std::unique_lock lock(mutex_);
    ++sleeping_;
    wake_.wait(lock, is_other);
    --sleeping_;
    return number;
  }

  /// A running mean, of the first to come; what is longer has other causes.
  void note_delay(std::chrono::nanoseconds delay) {
    const std::int64_t mean = delay_.load(std::memory_order_relaxed);
    const std::int64_t now = delay.count() < kFarthest ? delay.count() : kFarthest;
    delay_.store(mean + (now - mean) / 16, std::memory_order_relaxed);
  }

  /// How many workers are inside then, this one included; 0 if the job is closed.
  std::uint64_t enter() {
    std::uint64_t gate = gate_.load();
    while ((gate & kOpen) != 0) {
      if (gate_.compare_exchange_weak(gate, gate + 1)) return inside(gate) + 1;
    }
    return 0;
  }

  [[maybe_unused]] const Pool* const forgotten_;  // for who looks for leaks
  std::mutex use_;
  std::vector<std::thread> workers_;
  bool started_ = false;
  std::atomic<int> threads_;
  std::vector<Share> shares_;  // of the threads
  Job* job_ = nullptr;
  Clock::time_point busy_since_, last_end_;  // of jobs while workers slept
  std::atomic<std::int64_t> delay_{0};       // nanoseconds until a worker that is awake has found a job
  std::atomic<unsigned> probe_{0};
  alignas(64) std::atomic<std::uint64_t> gate_{0};
  alignas(64) std::mutex mutex_;  // of those who sleep
  std::condition_variable wake_;
  std::atomic<int> sleeping_{0};
  std::atomic<bool> stopping_{false};
};

/// A pool is never destroyed: threads may work, and functions given to atexit may compute, to the very end of a
/// process. The child of a fork has none of the parent's workers, and its locks may be held by threads that it has not
/// either: it forgets that pool and makes one of its own when it first needs it.
std::atomic<Pool*> current_pool{nullptr};
std::atomic<Pool*> parents_pool{nullptr};

void forget_pool() {
  if (Pool* pool = current_pool.exchange(nullptr)) parents_pool = pool;
}

/// When the program ends, or the plugin that the library is in is unloaded: no worker may run code that is gone.
struct Unloading {
  ~Unloading() {
    if (Pool* pool = current_pool.load()) pool->rest();
  }
};

Pool& make_pool() {
  static const int registered = pthread_atfork(nullptr, nullptr, forget_pool);
  static_cast<void>(registered);
  const Pool* parents = parents_pool.load();
  auto made = std::make_unique<Pool>(parents != nullptr ? parents->size() : default_threads(), parents);
  Pool* first = nullptr;
  if (!current_pool.compare_exchange_strong(first, made.get())) return *first;
  static const Unloading unloading;
  return *made.release();
}

Pool& pool() {
  Pool* pool = current_pool.load(std::memory_order_acquire);
  return pool != nullptr ? *pool : make_pool();
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

bool detail::threads_are_far() { return pool().size() > 1 && !inside_task && !caller_only && pool().is_far(); }

detail::CallerOnly::CallerOnly(bool on) : previous_(caller_only) { caller_only = previous_ || on; }
detail::CallerOnly::~CallerOnly() { caller_only = previous_; }

void detail::parallel_run(std::int64_t count, void (*body)(void*, std::int64_t), void* context) {
  if (count <= 0) return;
  if (count == 1) return body(context, 0);  // not a task: what it calls may use the pool
  if (inside_task || caller_only || pool().size() == 1) {
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

void detail::parallel_run_ranges(std::int64_t count, std::int64_t grain,
                                 void (*body)(void*, std::int64_t, std::int64_t), void* context) {
  parallel_for(count <= 0 ? 0 : (count - 1) / grain + 1, [=](std::int64_t i) {
    const std::int64_t begin = i * grain;
    body(context, begin, count - begin < grain ? count : begin + grain);
  });
}

}  // namespace teff
