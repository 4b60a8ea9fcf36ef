// SPDX-License-Identifier: MIT
#pragma once

// Private: living in somebody else's process, which forks, takes signals, and may have few of the machine's processors.

#include <csignal>
#include <cstddef>
#include <mutex>
#include <string_view>

namespace teff::detail {

/// A lock of the whole process. In the child of a fork it is free, whichever thread held it in the parent. Never held
/// while another of its kind is taken.
class ProcessMutex {
 public:
  ProcessMutex();
  ProcessMutex(const ProcessMutex&) = delete;
  ProcessMutex& operator=(const ProcessMutex&) = delete;

  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

 private:
  struct AllOfThem;
  static AllOfThem& all();

  std::mutex mutex_;
  ProcessMutex* next_ = nullptr;
};

/// Threads that are started in its lifetime take no signals but those that they cause themselves: handlers, and
/// sigwait, stay the affair of the program's own threads.
class SignalsBlocked {
 public:
  SignalsBlocked();
  ~SignalsBlocked();
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

#if !defined(_WIN32)
 private:
  sigset_t previous_;
#endif
};

/// How many processors this process may keep busy, at least 1: those of its affinity, or as many as the quota of its
/// control groups pays for, rounded up.
int available_processors();

/// That quota, in processors; infinite if there is none. `membership` is the text of /proc/self/cgroup, `root` the
/// folder that the groups are mounted at. Of version 1 and 2, the least of a group and those that it is in.
double control_group_quota(std::string_view membership, std::string_view root);

/// Bytes of a huge page, and the hint that fresh memory, which begins with one, had best be of such. Where the system
/// knows none, or gives them by itself or not at all, nothing happens.
inline constexpr std::size_t kHugePage = std::size_t{2} << 20;
void prefer_huge_pages(void* memory, std::size_t bytes);

}  // namespace teff::detail
