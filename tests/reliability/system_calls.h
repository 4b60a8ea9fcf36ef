// SPDX-License-Identifier: MIT
#pragma once

// The system calls through which Teff reads and writes files, made to fail as a test wants it. The program that links
// system_calls.cpp gets its versions of these functions instead of the C library's.

#include <cstddef>
#include <string>
#include <vector>

namespace teff::reliability {

enum class Call { open, pwritev, preadv, fsync, close, rename, fstat, lstat, faccessat, fchmod, mmap, unlink };

const char* to_string(Call call);

/// What happens to one call.
struct Fault {
  Call call = Call::open;
  int number = 0;        // of the call: 1 is the first since start_recording()
  int error = 0;         // errno; 0: the call succeeds in part
  std::size_t part = 0;  // bytes that pwritev and preadv move if error is 0
};

/// A call as it was made.
struct Record {
  Call call;
  std::string path;     // open, rename (the target), unlink
  int descriptor = -1;  // what was given or returned
  int flags = 0;        // open
};

/// Forgets what was recorded and sets the only fault there is, if any.
void start_recording(const Fault* fault = nullptr);
/// Calls since then. Whether the fault has happened.
const std::vector<Record>& records();
bool has_failed();

/// Ends this process with SIGKILL before the n-th call that changes files (open, pwritev, fsync, close, rename, fchmod,
/// unlink); 0: never.
void kill_before(int number);

}  // namespace teff::reliability
