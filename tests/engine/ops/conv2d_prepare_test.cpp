// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <cstring>
#include <thread>
#include <vector>

#include "teff/engine/engine.h"
#include "teff/engine/op_registry.h"
#include "teff/engine/testing.h"

using namespace teff;

namespace {

std::vector<TensorType> types_of(const std::vector<Tensor>& inputs) {
  std::vector<TensorType> types;
  for (const Tensor& input : inputs) types.push_back(input.type());
  return types;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.type() == b.type() && std::memcmp(a.raw_data(), b.raw_data(), a.nbytes()) == 0;
}

std::vector<Tensor> inputs_of(DType dtype, std::int64_t groups) {
  manual_seed(1);
  return {randn({2, 32, 9, 9}).to(dtype), randn({40, 32 / groups, 3, 3}).to(dtype), randn({40}).to(dtype)};
}

void check_prepared(const Op& op, const std::vector<Tensor>& inputs) {
  const std::vector<Tensor> constants = {Tensor(), inputs[1], inputs[2]};
  const std::shared_ptr<const Op> prepared = op.prepare(types_of(inputs), constants);
  REQUIRE(prepared != nullptr);
  CHECK(prepared->name() == op.name());
  CHECK(same_bits(teff::apply(prepared, inputs), teff::apply(op, inputs)));
}

}  // namespace

TEST_CASE("conv2d prepared for a constant weight gives the same bits") {
  for (const DType dtype : {DType::float32, DType::float64}) {
    for (const std::int64_t groups : {1, 4}) {
      const std::vector<Tensor> inputs = inputs_of(dtype, groups);
      const auto op = make_op("conv2d", {{"padding", Value(List{1, 1})}, {"groups", groups}});
      check_prepared(*op, inputs);
      const auto relu = op->fuse(*make_op("relu", {}));
      REQUIRE(relu != nullptr);
      check_prepared(*relu, inputs);
    }
  }
}

TEST_CASE("conv2d whose weight may change is not prepared") {
  const std::vector<Tensor> inputs = inputs_of(DType::float32, 1);
  CHECK(make_op("conv2d", {})->prepare(types_of(inputs), std::vector<Tensor>(3)) == nullptr);
}

TEST_CASE("WinogradGuard holds for its thread and lifetime, and for an op as it was when that was prepared") {
  const std::vector<Tensor> inputs = inputs_of(DType::float32, 1);
  const auto op = make_op("conv2d", {});
  const auto prepared = op->prepare(types_of(inputs), std::vector<Tensor>{Tensor(), inputs[1], inputs[2]});
  const Tensor with = teff::apply(op, inputs);
  REQUIRE(is_winograd_enabled());
  {
    const WinogradGuard direct(false);
    CHECK_FALSE(is_winograd_enabled());
    const Tensor without = teff::apply(op, inputs);
    CHECK_FALSE(same_bits(with, without));
    CHECK(teff::allclose(with, without, {.rtol = 1e-4, .atol = 1e-4}));
    CHECK(same_bits(teff::apply(prepared, inputs), with));
    Tensor elsewhere;
    std::thread([&] { elsewhere = teff::apply(op, inputs); }).join();
    CHECK(same_bits(elsewhere, with));
  }
  CHECK(same_bits(teff::apply(op, inputs), with));
}
