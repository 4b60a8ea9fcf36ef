// SPDX-License-Identifier: MIT
#pragma once

// Private: makes things in threads of their own, a few in advance.

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "teff/engine/error.h"
#include "teff/engine/process.h"

namespace teff::data::detail {

/// Things by number, [first, end): threads call `make`, each for the next number that nobody has, and at most
/// `capacity` numbers are begun beyond what was taken. take() gives the things in order, and throws what `make` threw
/// for its number, with which they end. Where the system refuses threads there are fewer, or take() makes the things.
/// The destructor waits for the calls that are running.
template <class T>
class Prefetcher {
 public:
  struct Plan {
    std::int64_t first, end, capacity, workers;
  };

  Prefetcher(std::function<T(std::int64_t)> make, const Plan& plan)
      : work_(std::make_unique<Work>(std::move(make), plan)) {
    const auto count = static_cast<std::size_t>(std::clamp<std::int64_t>(plan.end - plan.first, 0, plan.workers));
    threads_.reserve(count);
    const teff::detail::SignalsBlocked blocked;
    try {
      while (threads_.size() < count) threads_.emplace_back([work = work_.get()] { work->run(); });
    } catch (const std::system_error&) {
    }
  }

  ~Prefetcher() {
    if (in_child()) {  // of a fork, where the threads are not, and may hold the lock for ever
      static_cast<void>(work_.release());
      for (std::thread& thread : threads_) std::construct_at(&thread);  // forgets it
      return;
    }
    work_->stop();
    for (std::thread& thread : threads_) thread.join();
  }

  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  /// The next thing; nothing when there are no more. @throws what make threw; Error in the child of a fork.
  std::optional<T> take() {
    if (in_child()) {
      throw Error("DataLoader: expected the process that began to iterate, got a child of it; begin again, or use "
                  "{.prefetch = 0}");
    }
    if (threads_.empty()) work_->make_next();
    return work_->take();
  }

 private:
  /// What was made of a number, or why not; neither while it is being made.
  struct Slot {
    std::optional<T> thing;
    std::exception_ptr error;
    bool done() const { return thing.has_value() || error != nullptr; }
  };

  /// What all threads use.
  struct Work {
    Work(std::function<T(std::int64_t)> function, const Plan& p)
        : make(std::move(function)), capacity(std::max(p.capacity, p.workers)), taken(p.first), end(p.end) {}

    void run() {
      std::unique_lock lock(mutex);
      while (true) {
        changed.wait(lock, [this] { return stopping || begun() >= end || begun() - taken < capacity; });
        if (stopping || begun() >= end) return;
        begin_next(lock);
      }
    }

    /// Without threads.
    void make_next() {
      std::unique_lock lock(mutex);
      if (slots.empty() && begun() < end) begin_next(lock);
    }

    std::optional<T> take() {
      std::unique_lock lock(mutex);
      changed.wait(lock, [this] { return taken == end || (!slots.empty() && slots.front().done()); });
      if (taken == end) return std::nullopt;
      if (slots.front().error) std::rethrow_exception(slots.front().error);  // and again, if it is asked for again
      std::optional<T> thing = std::move(slots.front().thing);
      slots.pop_front();
      ++taken;
      lock.unlock();
      changed.notify_all();
      return thing;
    }

    void stop() {
      {
        const std::lock_guard lock(mutex);
        stopping = true;
      }
      changed.notify_all();
    }

   private:
    std::int64_t begun() const { return taken + static_cast<std::int64_t>(slots.size()); }

    /// Makes the next thing, unlocked. A deque's elements stay where they are when others come and go at its ends.
    void begin_next(std::unique_lock<std::mutex>& lock) {
      const std::int64_t number = begun();
      Slot& slot = slots.emplace_back();
      lock.unlock();
      Slot made;
      try {
        made.thing = make(number);
      } catch (...) {
        made.error = std::current_exception();
      }
      lock.lock();
      slot = std::move(made);
      if (slot.error) end = std::min(end, number + 1);  // nobody begins what cannot be taken
      changed.notify_all();
    }

    const std::function<T(std::int64_t)> make;
    const std::int64_t capacity;
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<Slot> slots;  // of the numbers from `taken` on
    std::int64_t taken, end;
    bool stopping = false;
  };

  bool in_child() const { return getpid() != process_; }

  const pid_t process_ = getpid();
  std::unique_ptr<Work> work_;
  std::vector<std::thread> threads_;
};

}  // namespace teff::data::detail
