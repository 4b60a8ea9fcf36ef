// SPDX-License-Identifier: MIT
#include <iostream>
#include <string>

#include <teff/teff.h>

#include "allocations/counting.h"
#include "examples/models/zoo.h"
#include "support/op_module.h"
#include "support/op_samples.h"

namespace teff::testing {
namespace {

/// What no sample of an operation has.
struct Masked : nn::Module {
  TEFF_MODULE(Masked)
  Tensor forward(const Tensor& x) override {
    const Tensor mask = x > 0.5;
    return mask.sum({0, 2}) + (mask.to(DType::int32).sum() + x.to(DType::int64).max());
  }
};

/// Batch norm where nothing is folded.
struct Unfolded : nn::Module {
  nn::BatchNorm2d first{3}, second{3, {.track_running_stats = false}};
  TEFF_MODULE(Unfolded, first, second)
  Tensor forward(const Tensor& x) override { return second(relu(first(x))) + x; }
};

int demanding = 0, sessions = 0;

template <class Name>
void check(const Name& name, nn::Module& module, const Tensor& input) {
  module.eval();
  nn::InferenceSession session(nn::capture(module, input), {input.shape()});
  const Demands demands = demands_of([&] { session.run(std::span(&input, 1)); });
  ++sessions;
  if (demands.news == 0 && demands.bytes == 0 && demands.locks == 0) return;
  std::cout << "session of " << name << ' ' << to_string(input.dtype()) << ": 10 rounds call operator new "
            << demands.news << " times, take " << demands.bytes << " bytes and " << demands.locks << " locks\n";
  ++demanding;
}

void check_samples(const std::vector<OpSample>& samples) {
  for (const OpSample& sample : samples) {
    for (const DType dtype : {DType::float64, DType::float32}) {
      OpModule module(sample);
      module.to(dtype);
      check(sample, module, scalar_tensor(1.5));
    }
  }
}

}  // namespace

int count_demanding_sessions() {
  check_samples(op_samples());
  check_samples(large_op_samples());
  Masked masked;
  check("sums of masks", masked, randn({3, 4, 5}));
  Unfolded unfolded;
  check("batch norm", unfolded, randn({2, 3, 4, 5}));
  for (const models::ZooEntry& entry : models::zoo()) {
    // Small images will do. VGG's are one network, of different lengths.
    if (entry.name.starts_with("vgg") && entry.name != "vgg11_bn") continue;
    const auto model = models::make_model(entry.name, {.num_classes = 10});
    const std::int64_t size = entry.image[1] < 64 ? entry.image[1] : 64;
    check(entry.name, *model, randn({2, entry.image[0], size, size}));
  }
  std::cout << sessions << " sessions, of which " << demanding << " do not run without memory or locks\n";
  return demanding;
}

}  // namespace teff::testing
