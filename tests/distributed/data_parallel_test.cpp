// SPDX-License-Identifier: MIT
#include "teff/nn/distributed/data_parallel.h"

#include <doctest/doctest.h>

#include <functional>
#include <vector>

#include "distributed/group.h"
#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/engine/random.h"
#include "teff/engine/testing.h"
#include "teff/nn/nn.h"

using namespace teff;
using distributed::DistributedDataParallel;
using distributed_testing::group;

namespace {

constexpr std::int64_t kBatch = 4;  // of each process
constexpr int kEpochs = 3;

struct TestNet : nn::Module {
  nn::Conv2d conv{1, 4, 3};
  nn::BatchNorm2d bn{4};
  nn::Linear fc1{4 * 4 * 4, 16};
  nn::Linear fc2{16, 3};
  nn::Linear unused{16, 2};
  bool normalises = false;
  TEFF_MODULE(TestNet, conv, bn, fc1, fc2, unused)

  Tensor forward(const Tensor& x) override {
    const Tensor y = conv(x);
    return fc2(relu(fc1(relu(normalises ? bn(y) : y).flatten(1))));
  }
};

data::TensorDataset dataset(DType dtype) {
  Generator generator(17);
  const Tensor images = randn({24, 1, 6, 6}, generator);
  return data::TensorDataset(images.to(dtype), randint(0, 3, {24}, generator));
}

TestNet make_net(DType dtype, std::uint64_t seed = 0) {
  manual_seed(seed);
  TestNet net;
  net.to(dtype);
  return net;
}

using Step = std::function<void(const Tensor& images, const Tensor& labels)>;

/// Trains in this process's part of the data.
void train(optim::Optimizer& optimizer, data::Dataset& data, std::int64_t processes, std::int64_t rank,
           std::int64_t batch, const Step& step) {
  data::DistributedSampler sampler(data, {.num_replicas = processes, .rank = rank, .seed = 1});
  data::DataLoader loader(data, {.batch_size = batch, .sampler = &sampler});
  for (int epoch = 0; epoch < kEpochs; ++epoch) {
    sampler.set_epoch(epoch);
    for (const auto& [images, labels] : loader) {
      optimizer.zero_grad();
      step(images, labels);
      optimizer.step();
    }
  }
}

TestNet train_in_parallel(DType dtype, const distributed::DistributedDataParallelOptions& options) {
  TestNet net = make_net(dtype, static_cast<std::uint64_t>(group().rank()));
  DistributedDataParallel parallel(net, group(), options);
  optim::SGD optimizer(net.parameters(), {.lr = 0.05, .momentum = 0.9, .weight_decay = 0.01});
  data::TensorDataset data = dataset(dtype);
  train(optimizer, data, group().size(), group().rank(), kBatch, [&](const Tensor& images, const Tensor& labels) {
    parallel.backward(cross_entropy(parallel(images), labels));
  });
  return net;
}

/// One process goes through the joint batches; `parts` of each are computed one by one.
TestNet train_alone(DType dtype, bool in_parts) {
  TestNet net = make_net(dtype);
  optim::SGD optimizer(net.parameters(), {.lr = 0.05, .momentum = 0.9, .weight_decay = 0.01});
  data::TensorDataset data = dataset(dtype);
  const std::int64_t processes = group().size();
  train(optimizer, data, 1, 0, kBatch * processes, [&](const Tensor& images, const Tensor& labels) {
    if (!in_parts) return cross_entropy(net(images), labels).backward();
    for (std::int64_t part = 0; part < processes; ++part) {  // example i of the order is process i % processes's
      const Tensor loss =
          cross_entropy(net(images.slice(0, part, {}, processes)), labels.slice(0, part, {}, processes));
      (loss / static_cast<double>(processes)).backward();
    }
  });
  return net;
}

/// The largest difference of parameters.
double difference(const TestNet& a, const TestNet& b) {
  double most = 0;
  const std::vector<Tensor> ours = a.parameters(), theirs = b.parameters();
  for (std::size_t i = 0; i < ours.size(); ++i) {
    most = std::max(most, (ours[i].detach() - theirs[i].detach()).abs().max().item<double>());
  }
  return most;
}

/// Whether all processes have the same bits.
bool equal_everywhere(const nn::Module& module) {
  for (const DictItem& item : module.state_dict()) {
    const Tensor own = item.value.as_tensor(), first = own.clone();
    group().broadcast(first);
    const Tensor differs = ne(own.to(DType::float64), first.to(DType::float64)).to(DType::int64).sum();
    group().all_reduce(differs);
    if (differs.item<std::int64_t>() != 0) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("sums, broadcasts and barriers") {
  const std::int64_t rank = group().rank(), size = group().size(), sum = size * (size - 1) / 2;
  for (const DType dtype : {DType::float32, DType::float64, DType::int64}) {
    const Tensor numbers = full({3, 2}, static_cast<double>(rank), {.dtype = dtype});
    group().all_reduce(numbers);
    CHECK_NOTHROW(assert_close(numbers, full({3, 2}, static_cast<double>(sum), {.dtype = dtype}), {0, 0}));
  }
  for (std::int64_t root = 0; root < size; ++root) {
    const Tensor bytes = full({5}, static_cast<double>(rank + 1), {.dtype = DType::uint8});
    group().broadcast(bytes, root);
    CHECK(bytes.sum().item<std::int64_t>() == 5 * (root + 1));
  }
  const Tensor a = full({1000}, 1), b = full({10}, 2);
  group().begin_all_reduce(a);
  group().begin_all_reduce(b);
  group().progress();
  group().wait();
  CHECK(a.sum().item<double>() == 1000.0 * static_cast<double>(size));
  CHECK(b.sum().item<double>() == 20.0 * static_cast<double>(size));
  group().barrier();
  CHECK_THROWS_WITH_AS(group().all_reduce(ones({2}, {.dtype = DType::int32})),
                       "all_reduce: expected float32, float64 or int64, got int32", TypeError);
  CHECK_THROWS_AS(group().broadcast(a, size), ValueError);
  CHECK_THROWS_AS(distributed::ProcessGroup(), Error);
}

TEST_CASE("parallel training is that of one process on the joint batches") {
  for (const std::int64_t bucket_bytes : {1, 1000, 1 << 20}) {
    CAPTURE(bucket_bytes);
    const TestNet net = train_in_parallel(DType::float64, {.bucket_bytes = bucket_bytes});
    CHECK(equal_everywhere(net));
    CHECK(difference(net, train_alone(DType::float64, false)) < 1e-14);
    CHECK(difference(net, make_net(DType::float64)) > 0.01);
    CHECK_FALSE(net.unused.weight.grad().defined());
  }
}

TEST_CASE("two processes give the bits of one that adds up the gradients of both parts") {
  if (group().size() > 2) return;  // the order of three summands is MPI's
  const TestNet net = train_in_parallel(DType::float32, {.bucket_bytes = 1000});
  CHECK(difference(net, train_alone(DType::float32, true)) == 0);
  CHECK(difference(net, train_alone(DType::float32, false)) < 1e-5);
}

TEST_CASE("at the start all get the parameters and buffers of process 0") {
  TestNet net = make_net(DType::float32, static_cast<std::uint64_t>(group().rank()));
  net.bn.running_mean.fill_(static_cast<double>(group().rank()));
  DistributedDataParallel parallel(net, group());
  CHECK(equal_everywhere(net));
  CHECK(difference(net, make_net(DType::float32)) == 0);
  CHECK(net.bn.running_mean.sum().item<float>() == 0);
}

TEST_CASE("in training the buffers of process 0 are given to all before each forward") {
  TestNet net = make_net(DType::float32);
  net.normalises = true;
  DistributedDataParallel parallel(net, group());
  const Tensor images = full({2, 1, 6, 6}, static_cast<double>(group().rank()));
  parallel(images);
  CHECK(equal_everywhere(net) == (group().size() == 1));
  net.bn.num_batches_tracked.fill_(static_cast<double>(7 + group().rank()));
  parallel(images);
  CHECK(net.bn.num_batches_tracked.item<std::int64_t>() == 8);
  net.eval();
  const Tensor before = net.bn.running_mean.clone();
  parallel(images);
  CHECK_NOTHROW(assert_close(net.bn.running_mean, before, {0, 0}));
}

TEST_CASE("a parameter without gradient in some processes counts as 0 there; gradients accumulate before") {
  nn::Linear used(2, 1, {.bias = false}), sometimes(2, 1, {.bias = false});
  nn::Sequential net(used, sometimes);
  DistributedDataParallel parallel(net, group());
  const auto size = static_cast<double>(group().size());
  const Tensor x = ones({1, 2});
  used(x).sum().backward();  // stays in this process until the next one
  Tensor loss = used(x).sum() * static_cast<double>(group().rank());
  if (group().rank() == 0) loss = loss + sometimes(x).sum();
  parallel.backward(loss);
  const double mean_rank = (size - 1) / 2;
  CHECK_NOTHROW(assert_close(used.weight.grad(), full({1, 2}, 1 + mean_rank), {.rtol = 1e-6, .atol = 0}));
  CHECK_NOTHROW(assert_close(sometimes.weight.grad(), full({1, 2}, 1 / size), {.rtol = 1e-6, .atol = 0}));
}

TEST_CASE("different networks are an error in all processes") {
  if (group().size() == 1) return;
  nn::Linear layer(2, group().rank() == 0 ? 3 : 2);
  CHECK_THROWS_WITH_AS(DistributedDataParallel(layer, group()),
                       "DistributedDataParallel: expected parameters and buffers of the same names, shapes and dtypes "
                       "in all processes, got others",
                       Error);
  nn::Linear same(2, 2);
  CHECK_THROWS_AS(DistributedDataParallel(same, group(), {.bucket_bytes = 0}), ValueError);
}
