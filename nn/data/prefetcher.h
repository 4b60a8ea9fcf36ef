// SPDX-License-Identifier: MIT
#pragma once

// Private: makes things in a thread of its own, a few in advance.

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace teff::data::detail {

/// Calls `make` again and again, until it returns nothing or throws, and keeps at most `capacity` results waiting.
/// The destructor waits for the call that is running.
template <class T>
class Prefetcher {
 public:
  Prefetcher(std::function<std::optional<T>()> make, std::size_t capacity)
      : make_(std::move(make)), capacity_(capacity), thread_([this] { run(); }) {}

  ~Prefetcher() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  /// The next result, in order; nothing when there are no more. @throws what make threw.
  std::optional<T> take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !ready_.empty() || done_; });
    if (ready_.empty()) {
      if (error_) std::rethrow_exception(error_);
      return std::nullopt;
    }
    T result = std::move(ready_.front());
    ready_.pop_front();
    lock.unlock();
    changed_.notify_all();
    return result;
  }

 private:
  void run() {
    try {
      while (wait_for_room()) {
        std::optional<T> made = make_();
        if (!made) break;
        const std::lock_guard lock(mutex_);
        ready_.push_back(std::move(*made));
        changed_.notify_all();
      }
    } catch (...) {
      error_ = std::current_exception();  // read only after done_ was seen under the lock
    }
    const std::lock_guard lock(mutex_);
    done_ = true;
    changed_.notify_all();
  }

  bool wait_for_room() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || ready_.size() < capacity_; });
    return !stopping_;
  }

  const std::function<std::optional<T>()> make_;
  const std::size_t capacity_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<T> ready_;
  bool done_ = false, stopping_ = false;
  std::exception_ptr error_;
  std::thread thread_;  // last: everything else exists before it runs
};

}  // namespace teff::data::detail
