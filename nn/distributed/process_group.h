// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>

#include "teff/engine/tensor.h"

namespace TEFF_EXPORT teff {
namespace distributed {

/// The processes that mpirun has started, or this one alone. A program has one, as long as it talks to the others; it
/// starts MPI, and ends it.
///
///   int main() {
///     distributed::ProcessGroup group;
///     try {
///       train(group);
///     } catch (const std::exception& error) {
///       std::cerr << "process " << group.rank() << ": " << error.what() << '\n';
///       group.abort();
///     }
///   }
///
/// All processes call the same functions in the same order, with tensors of the same types. All functions are called
/// in the thread that made the group. They throw Error where MPI fails. A process that fails otherwise would leave the
/// others waiting: abort(), or an exception that leaves the scope of the group, ends them all.
class ProcessGroup {
 public:
  /// @throws Error if MPI cannot be started, or was ended before.
  ProcessGroup();
  ~ProcessGroup();
  ProcessGroup(const ProcessGroup&) = delete;
  ProcessGroup& operator=(const ProcessGroup&) = delete;

  /// Number of this process, in [0, size()).
  std::int64_t rank() const;
  std::int64_t size() const;

  /// Waits for all processes.
  void barrier();
  /// Overwrites the tensor, of any dtype, with that of the process `root`.
  void broadcast(const Tensor& tensor, std::int64_t root = 0);
  /// Overwrites the tensor, float32, float64 or int64, with the sum over all processes.
  void all_reduce(const Tensor& tensor);

  /// Begins an all_reduce and returns; nobody may use the elements until wait().
  void begin_all_reduce(const Tensor& tensor);
  /// Gives what was begun the chance to go on: MPI works only while it is called.
  void progress();
  /// Waits for all that was begun.
  void wait();

  /// Ends all processes.
  [[noreturn]] void abort(int exit_code = 1);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace distributed
}  // namespace teff
