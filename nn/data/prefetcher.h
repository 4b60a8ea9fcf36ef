// SPDX-License-Identifier: MIT
#pragma once

// Private: makes things in a thread of its own, a few in advance.

#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "teff/engine/error.h"
#include "teff/engine/process.h"

namespace teff::data::detail {

/// Calls `make` again and again, until it returns nothing or throws, and keeps at most `capacity` results waiting.
/// Where the system refuses to start a thread, take() makes them. The destructor waits for the call that is running.
template <class T>
class Prefetcher {
 public:
  Prefetcher(std::function<std::optional<T>()> make, std::size_t capacity)
      : work_(std::make_unique<Work>(std::move(make), capacity)) {
    const teff::detail::SignalsBlocked blocked;
    try {
      thread_ = std::thread([work = work_.get()] { work->run(); });
    } catch (const std::system_error&) {
    }
  }

  ~Prefetcher() {
    if (in_child()) {  // of a fork, where the thread is not, and may hold the lock for ever
      static_cast<void>(work_.release());
      std::construct_at(&thread_);  // forgets it
      return;
    }
    if (!thread_.joinable()) return;
    work_->stop();
    thread_.join();
  }

  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  /// The next result, in order; nothing when there are no more. @throws what make threw; Error in the child of a fork.
  std::optional<T> take() {
    if (in_child()) {
      throw Error("DataLoader: expected the process that began to iterate, got a child of it; begin again, or use "
                  "{.prefetch = 0}");
    }
    return thread_.joinable() ? work_->take() : work_->make_next();
  }

 private:
  /// What both threads use.
  struct Work {
    Work(std::function<std::optional<T>()> function, std::size_t most) : make(std::move(function)), capacity(most) {}

    void run() {
      try {
        while (wait_for_room()) {
          std::optional<T> made = make();
          if (!made) break;
          const std::lock_guard lock(mutex);
          ready.push_back(std::move(*made));
          changed.notify_all();
        }
      } catch (...) {
        error = std::current_exception();  // read only after done was seen under the lock
      }
      const std::lock_guard lock(mutex);
      done = true;
      changed.notify_all();
    }

    bool wait_for_room() {
      std::unique_lock lock(mutex);
      changed.wait(lock, [this] { return stopping || ready.size() < capacity; });
      return !stopping;
    }

    std::optional<T> take() {
      std::unique_lock lock(mutex);
      changed.wait(lock, [this] { return !ready.empty() || done; });
      if (ready.empty()) return end();
      T result = std::move(ready.front());
      ready.pop_front();
      lock.unlock();
      changed.notify_all();
      return result;
    }

    /// Without a thread.
    std::optional<T> make_next() {
      if (done) return end();
      try {
        std::optional<T> made = make();
        done = !made;
        return made;
      } catch (...) {
        error = std::current_exception();
        done = true;
        throw;
      }
    }

    std::optional<T> end() const {
      if (error) std::rethrow_exception(error);
      return std::nullopt;
    }

    void stop() {
      {
        const std::lock_guard lock(mutex);
        stopping = true;
      }
      changed.notify_all();
    }

    const std::function<std::optional<T>()> make;
    const std::size_t capacity;
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<T> ready;
    bool done = false, stopping = false;
    std::exception_ptr error;
  };

  bool in_child() const { return getpid() != process_; }

  const pid_t process_ = getpid();
  std::unique_ptr<Work> work_;
  std::thread thread_;
};

}  // namespace teff::data::detail
