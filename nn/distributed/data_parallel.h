// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "teff/nn/distributed/process_group.h"
#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {
namespace distributed {

struct DistributedDataParallelOptions {
  /// Gradients are averaged in pieces of about so many bytes, each as soon as backward has made it.
  std::int64_t bucket_bytes = std::int64_t{25} << 20;
  /// In training, process 0's buffers (running statistics) are given to all before each forward.
  bool broadcast_buffers = true;
};

/// Trains one module in several processes, each on its part of the data: backward gives all of them the mean of their
/// gradients, so that equal optimisers take equal steps. With as many examples in each process that is the gradient of
/// the mean loss over all of them (batch norm apart, whose statistics are those of a process). Use a
/// data::DistributedSampler for the data, and let process 0 save.
///
///   distributed::DistributedDataParallel parallel(net, group);
///   optim::SGD optimizer(net.parameters(), {.lr = 0.1});
///   for (auto [images, labels] : loader) {
///     optimizer.zero_grad();
///     parallel.backward(cross_entropy(parallel(images), labels));
///     optimizer.step();
///   }
///
/// Refers to module and group, which must live as long, and to the module's parameters as they are now.
class DistributedDataParallel {
 public:
  /// Gives process 0's parameters and buffers to all.
  /// @throws ValueError for bucket_bytes below 1; Error, in all processes, if their parameters and buffers differ in
  /// name, shape or dtype.
  DistributedDataParallel(nn::Module& module, ProcessGroup& group, const DistributedDataParallelOptions& options = {});
  ~DistributedDataParallel();
  DistributedDataParallel(const DistributedDataParallel&) = delete;
  DistributedDataParallel& operator=(const DistributedDataParallel&) = delete;

  /// The module's.
  Tensor operator()(const Tensor& input);

  /// loss.backward(), after which the gradients, with what was in them before, are replaced by their mean over all
  /// processes. (Plain calls of loss.backward() before this one accumulate, without talking to the others.) A parameter
  /// that has a gradient in some processes counts as one of 0 in the others; one that has none anywhere stays without.
  /// @throws what backward throws; the processes are then no longer in step.
  void backward(const Tensor& loss);

 private:
  struct Bucket;

  void check_equal();
  void add(const Tensor& parameter);
  void on_gradient(const Tensor& parameter);
  void begin_complete();

  nn::Module& module_;
  ProcessGroup& group_;
  DistributedDataParallelOptions options_;
  std::vector<Bucket> buckets_;  // in the order in which they are reduced
  std::size_t begun_ = 0;        // of them
};

}  // namespace distributed
}  // namespace teff
