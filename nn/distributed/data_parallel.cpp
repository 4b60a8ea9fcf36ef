// SPDX-License-Identifier: MIT
#include "teff/nn/distributed/data_parallel.h"

#include <ranges>
#include <vector>

#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/nn/fnv.h"
#include "teff/nn/text.h"

namespace teff::distributed {

/// Parameters whose gradients go together: all of one dtype.
struct DistributedDataParallel::Bucket {
  std::vector<Tensor> parameters;
  std::vector<bool> filled;
  std::int64_t missing = 0;   // of the parameters
  std::int64_t elements = 0;  // of the gradients
  Tensor data;                // [elements + parameters]: gradients; for each 1 where there is one, else 0

  /// The place of parameter i's gradient.
  Tensor gradient(std::size_t i) const {
    std::int64_t first = 0;
    for (std::size_t j = 0; j < i; ++j) first += parameters[j].numel();
    return data.slice(0, first, first + parameters[i].numel()).view(parameters[i].shape());
  }
  Tensor flag(std::size_t i) const {
    const std::int64_t place = elements + static_cast<std::int64_t>(i);
    return data.slice(0, place, place + 1);
  }

  void start() {
    data = zeros({elements + static_cast<std::int64_t>(parameters.size())}, {.dtype = parameters[0].dtype()});
    filled.assign(parameters.size(), false);
    missing = static_cast<std::int64_t>(parameters.size());
  }

  /// Takes part i of the mean: divided first, as in PyTorch.
  void fill(std::size_t i, double processes) {
    if (filled[i]) return;
    filled[i] = true;
    --missing;
    if (!parameters[i].grad().defined()) return;
    gradient(i).copy_(parameters[i].grad() / processes);
    flag(i).fill_(1);
  }

  /// Gives the parameters what has come.
  void finish() {
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      if (flag(i).item<double>() == 0) continue;
      if (parameters[i].grad().defined()) {
        parameters[i].grad().copy_(gradient(i));
      } else {
        parameters[i].set_grad(gradient(i).clone());
      }
    }
    data = Tensor();
  }
};

DistributedDataParallel::DistributedDataParallel(nn::Module& module, ProcessGroup& group,
                                                 const DistributedDataParallelOptions& options)
    : module_(module), group_(group), options_(options) {
  nn::detail::expect_at_least(1, "DistributedDataParallel", "bucket_bytes", options.bucket_bytes);
  check_equal();
  const NoGradGuard no_grad;
  for (const Tensor& parameter : module.parameters()) group.broadcast(parameter);
  for (const Tensor& buffer : module.buffers()) group.broadcast(buffer);
  // Backward comes to the last ones first.
  const std::vector<Tensor> parameters = module.parameters();
  for (const Tensor& parameter : parameters | std::views::reverse) {
    if (parameter.requires_grad()) add(parameter);
  }
}

DistributedDataParallel::~DistributedDataParallel() = default;

/// Compares a hash of names and types.
void DistributedDataParallel::check_equal() {
  nn::detail::Fnv1a hash;
  for (const DictItem& item : module_.state_dict()) {
    const Tensor& tensor = item.value.as_tensor();
    hash.add_text(item.key + ' ' + to_string(tensor.shape()) + ' ' + std::string(to_string(tensor.dtype())) + '\n');
  }
  const auto own = static_cast<std::int64_t>(hash.value() & 0xffffffff);  // the sum cannot overflow
  const Tensor sum = tensor<std::int64_t>({own});
  group_.all_reduce(sum);
  const Tensor differ = tensor<std::int64_t>({sum.item<std::int64_t>() == own * group_.size() ? 0 : 1});
  group_.all_reduce(differ);
  if (differ.item<std::int64_t>() == 0) return;
  throw Error("DistributedDataParallel: expected parameters and buffers of the same names, shapes and dtypes in all "
              "processes, got others");
}

void DistributedDataParallel::add(const Tensor& parameter) {
  const bool fits =
      !buckets_.empty() && buckets_.back().parameters[0].dtype() == parameter.dtype() &&
      buckets_.back().elements * static_cast<std::int64_t>(size_of(parameter.dtype())) < options_.bucket_bytes;
  if (!fits) buckets_.emplace_back();
  buckets_.back().parameters.push_back(parameter);
  buckets_.back().elements += parameter.numel();
}

Tensor DistributedDataParallel::operator()(const Tensor& input) {
  if (options_.broadcast_buffers && module_.is_training()) {
    for (const Tensor& buffer : module_.buffers()) group_.broadcast(buffer);
  }
  return module_(input);
}

void DistributedDataParallel::backward(const Tensor& loss) {
  begun_ = 0;
  for (Bucket& bucket : buckets_) bucket.start();
  teff::backward(loss, [this](const Tensor& leaf) { on_gradient(leaf); });
  const NoGradGuard no_grad;
  const auto processes = static_cast<double>(group_.size());
  for (Bucket& bucket : buckets_) {  // what this loss does not depend on
    for (std::size_t i = 0; i < bucket.parameters.size(); ++i) bucket.fill(i, processes);
  }
  begin_complete();
  group_.wait();
  for (Bucket& bucket : buckets_) bucket.finish();
}

void DistributedDataParallel::on_gradient(const Tensor& parameter) {
  for (Bucket& bucket : buckets_) {
    for (std::size_t i = 0; i < bucket.parameters.size(); ++i) {
      if (bucket.parameters[i].is(parameter)) bucket.fill(i, static_cast<double>(group_.size()));
    }
  }
  begin_complete();
  group_.progress();
}

/// In the order of the buckets, which is the same in all processes.
void DistributedDataParallel::begin_complete() {
  for (; begun_ < buckets_.size() && buckets_[begun_].missing == 0; ++begun_) {
    group_.begin_all_reduce(buckets_[begun_].data);
  }
}

}  // namespace teff::distributed
