// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <type_traits>

#include "teff/export.h"

namespace TEFF_EXPORT teff {

/// Number of threads that one operation may use, the calling thread included. Default: the processors that the process
/// may use, by its affinity and the quota of its control group; or the value of the environment variable
/// `TEFF_NUM_THREADS`, of which the first operation throws ValueError if it is no count from 1 to 1024.
///
/// Where the system refuses to start a thread fewer work. They take no signals. A process may fork at any time: the
/// child starts threads of its own.
int get_num_threads();

/// Sets the number of threads for all later operations of the process, whichever thread calls them.
/// Results have the same bits for any number: threads may share the work out differently, but what is summed, and in
/// which order, never depends on them.
/// @throws ValueError for a count below 1 or above 1024.
void set_num_threads(int count);

namespace detail {
// The tasks of parallel_for and parallel_ranges as a function and its context: the code of a task stands once in the
// program, whether it runs once on the caller or many times on the pool.
void parallel_run(std::int64_t count, void (*body)(void*, std::int64_t), void* context);
void parallel_run_ranges(std::int64_t count, std::int64_t grain, void (*body)(void*, std::int64_t, std::int64_t),
                         void* context);

/// Whether the threads' cores are so far from each other that little work is done sooner by one. Measured with every
/// job.
bool threads_are_far();

/// While it lives, parallel_for of this thread runs on the caller, if `on`.
class CallerOnly {
 public:
  explicit CallerOnly(bool on);
  ~CallerOnly();
  CallerOnly(const CallerOnly&) = delete;
  CallerOnly& operator=(const CallerOnly&) = delete;

 private:
  bool previous_;
};
}  // namespace detail

/// Calls task(i) once for every i in [0, count) and returns when all calls have ended. The calls may run at the
/// same time and in any order, so each must write to a place of its own, and none may wait for another; no result may
/// depend on how many threads there are. Inside another parallel_for, or while another user thread has the pool, it
/// runs on the caller. The first exception that a task throws is rethrown here.
template <class Task>
void parallel_for(std::int64_t count, Task&& task) {
  using Function = std::remove_reference_t<Task>;
  detail::parallel_run(
      count, [](void* context, std::int64_t i) { (*static_cast<Function*>(context))(i); },
      const_cast<void*>(static_cast<const void*>(&task)));
}

/// Splits [0, count) into ranges of `grain` (the last may be shorter) and calls task(begin, end) for each, as
/// parallel_for does.
template <class Task>
void parallel_ranges(std::int64_t count, std::int64_t grain, Task&& task) {
  using Function = std::remove_reference_t<Task>;
  detail::parallel_run_ranges(
      count, grain,
      [](void* context, std::int64_t begin, std::int64_t end) { (*static_cast<Function*>(context))(begin, end); },
      const_cast<void*>(static_cast<const void*>(&task)));
}

}  // namespace teff
