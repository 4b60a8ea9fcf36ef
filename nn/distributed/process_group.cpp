// SPDX-License-Identifier: MIT
#include "teff/nn/distributed/process_group.h"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <limits>
#include <string>
#include <vector>

#define OMPI_SKIP_MPICXX 1
#include <mpi.h>

#include "teff/engine/error.h"
#include "teff/engine/ops.h"

namespace teff::distributed {
namespace {

// The greatest count of one call; longer tensors go in parts.
constexpr std::int64_t kMostElements = std::numeric_limits<int>::max();

void check(int status, const char* function) {
  if (status == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(status, text, &length);
  throw Error(std::string(function) + ": MPI failed: " + std::string(text, static_cast<std::size_t>(length)));
}

MPI_Datatype mpi_type(DType dtype) {
  switch (dtype) {
    case DType::float32:
      return MPI_FLOAT;
    case DType::float64:
      return MPI_DOUBLE;
    case DType::int64:
      return MPI_INT64_T;
    default:
      throw TypeError("all_reduce: expected float32, float64 or int64, got " + std::string(to_string(dtype)));
  }
}

/// Calls part(pointer, count) for parts of `count` units of `unit` bytes that MPI takes.
template <class Part>
void in_parts(const Tensor& tensor, std::int64_t count, std::size_t unit, Part part) {
  auto* place = static_cast<std::byte*>(tensor.raw_data());
  for (std::int64_t left = count; left > 0;) {
    const std::int64_t now = std::min(left, kMostElements);
    part(place, static_cast<int>(now));
    place += static_cast<std::size_t>(now) * unit;
    left -= now;
  }
}

}  // namespace

struct ProcessGroup::State {
  int rank = 0, size = 1;
  int exceptions = std::uncaught_exceptions();
  std::vector<MPI_Request> requests;
  std::vector<Tensor> reduced;  // by the requests: they must not go before
};

ProcessGroup::ProcessGroup() : state_(std::make_unique<State>()) {
  int started = 0;
  check(MPI_Initialized(&started), "ProcessGroup");
  if (started != 0) throw Error("ProcessGroup: expected the first one of the program, got another");
  int threads = 0;
  check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &threads), "ProcessGroup");
  check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "ProcessGroup");
  check(MPI_Comm_rank(MPI_COMM_WORLD, &state_->rank), "ProcessGroup");
  check(MPI_Comm_size(MPI_COMM_WORLD, &state_->size), "ProcessGroup");
}

ProcessGroup::~ProcessGroup() {
  if (std::uncaught_exceptions() > state_->exceptions) abort();
  MPI_Finalize();
}

std::int64_t ProcessGroup::rank() const { return state_->rank; }
std::int64_t ProcessGroup::size() const { return state_->size; }

void ProcessGroup::barrier() { check(MPI_Barrier(MPI_COMM_WORLD), "barrier"); }

void ProcessGroup::broadcast(const Tensor& tensor, std::int64_t root) {
  if (root < 0 || root >= size()) {
    throw ValueError("broadcast: expected a process of [0, " + std::to_string(size()) + "), got " +
                     std::to_string(root));
  }
  in_parts(tensor, static_cast<std::int64_t>(tensor.nbytes()), 1, [&](std::byte* place, int count) {
    check(MPI_Bcast(place, count, MPI_BYTE, static_cast<int>(root), MPI_COMM_WORLD), "broadcast");
  });
}

void ProcessGroup::all_reduce(const Tensor& tensor) {
  begin_all_reduce(tensor);
  wait();
}

void ProcessGroup::begin_all_reduce(const Tensor& tensor) {
  const MPI_Datatype type = mpi_type(tensor.dtype());
  state_->reduced.push_back(tensor);
  in_parts(tensor, tensor.numel(), size_of(tensor.dtype()), [&](std::byte* place, int count) {
    state_->requests.push_back(MPI_REQUEST_NULL);
    check(MPI_Iallreduce(MPI_IN_PLACE, place, count, type, MPI_SUM, MPI_COMM_WORLD, &state_->requests.back()),
          "all_reduce");
  });
}

void ProcessGroup::progress() {
  int ended = 0;
  check(MPI_Testall(static_cast<int>(state_->requests.size()), state_->requests.data(), &ended, MPI_STATUSES_IGNORE),
        "all_reduce");
}

void ProcessGroup::wait() {
  check(MPI_Waitall(static_cast<int>(state_->requests.size()), state_->requests.data(), MPI_STATUSES_IGNORE),
        "all_reduce");
  state_->requests.clear();
  state_->reduced.clear();
}

void ProcessGroup::abort(int exit_code) {
  MPI_Abort(MPI_COMM_WORLD, exit_code);
  std::_Exit(exit_code);
}

}  // namespace teff::distributed
