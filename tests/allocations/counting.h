// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>

namespace teff::testing {

/// What 10 rounds of `work` ask for in a steady state, after a few rounds to warm up.
struct Demands {
  long news = 0;          // calls of operator new
  std::size_t bytes = 0;  // the most at a time from the caching allocator
  long locks = 0;         // calls of pthread_mutex_lock, where the C library lets them be counted
};
Demands demands_of(const std::function<void()>& work);

/// Prints what a session asks for in its runs, over all operations and the networks of examples/models, if it is not
/// nothing. Returns how many do.
int count_demanding_sessions();

}  // namespace teff::testing
