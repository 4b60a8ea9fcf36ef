// SPDX-License-Identifier: MIT
#include "teff/nn/clip_grad.h"

#include <cmath>
#include <limits>

#include "golden/optim_golden.h"
#include "nn/nets.h"
#include "support/threads_guard.h"

using namespace teff;
using namespace teff::nn_testing;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The parameters of make_optim_golden.py: the second has no gradient.
struct Fixture {
  explicit Fixture(DType dtype = DType::float32) {
    for (int i = 0; i < 3; ++i) parameters.push_back(ones({5}, {.dtype = dtype, .requires_grad = true}));
    parameters[0].set_grad(tensor<double>({1, -2, 3, 0.5, 0}).to(dtype));
    parameters[2].set_grad(tensor<double>({-1.5, 0.25, 1, 4, -0.125}).to(dtype));
  }
  Tensor grads() const { return cat({parameters[0].grad(), parameters[2].grad()}); }
  std::vector<Tensor> parameters;
};

void check_clipped(double max_norm, const nn::ClipGradNormOptions& options, const std::vector<double>& expected) {
  for (const DType dtype : {DType::float32, DType::float64}) {
    const Fixture f(dtype);
    const double norm = nn::clip_grad_norm_(f.parameters, max_norm, options);
    check_values(cat({full({1}, norm, {.dtype = dtype}), f.grads()}), expected);
    CHECK_FALSE(f.parameters[1].grad().defined());
  }
}

}  // namespace

TEST_CASE("gradients are scaled to PyTorch's values, in every norm") {
  check_clipped(1.5, {}, golden::kClipNorm2);
  check_clipped(1.5, {.norm_type = 1}, golden::kClipNorm1);
  check_clipped(1.5, {.norm_type = 3}, golden::kClipNorm3);
  check_clipped(1.5, {.norm_type = kInfinity}, golden::kClipNormInf);
  check_clipped(100, {}, golden::kClipNormLarge);
}

TEST_CASE("gradients below the bound keep every bit") {
  const Fixture f, before;
  nn::clip_grad_norm_(f.parameters, 100);
  CHECK(same_bits(f.grads(), before.grads()));
  CHECK(nn::clip_grad_norm_(std::vector<Tensor>{f.parameters[1]}, 1) == 0);
}

TEST_CASE("gradients are clamped to PyTorch's values") {
  const Fixture f;
  nn::clip_grad_value_(f.parameters, 1.25);
  check_values(f.grads(), golden::kClipValue);
}

TEST_CASE("a norm that float32 cannot hold is finite") {
  const Fixture f;
  f.parameters[0].set_grad(full({5}, 1e30));
  CHECK(nn::clip_grad_norm_(f.parameters, 1) == doctest::Approx(std::sqrt(5.0) * 1e30));
  CHECK(f.grads()[0].item<double>() == doctest::Approx(1 / std::sqrt(5.0)));
}

TEST_CASE("a norm that is not finite is an error only on demand") {
  for (const double bad : {static_cast<double>(NAN), kInfinity}) {
    for (const double type : {2.0, 3.0, kInfinity}) {
      const Fixture f;
      f.parameters[2].set_grad(tensor<double>({1, bad, 2, 0, 0}).to(DType::float32));
      const Tensor before = f.grads();
      CHECK(error_of<Error>([&] {
              nn::clip_grad_norm_(f.parameters, 1, {.norm_type = type, .error_if_nonfinite = true});
            }) == std::string("clip_grad_norm_: expected gradients with a finite norm, got ") +
                      (std::isnan(bad) ? "nan" : "inf"));
      CHECK(same_bits(f.grads(), before));
      CHECK_FALSE(std::isfinite(nn::clip_grad_norm_(f.parameters, 1, {.norm_type = type})));
      CHECK(std::isnan(f.parameters[2].grad()[1].item<double>()));
    }
  }
}

TEST_CASE("the norm has the same bits for any number of threads") {
  Generator generator(3);
  const Tensor p = ones({100003}, {.requires_grad = true});
  p.set_grad(randn({100003}, generator));
  std::vector<double> norms;
  for (const int threads : {1, 2, 5}) {
    const testing::ThreadsGuard guard(threads);
    norms.push_back(nn::clip_grad_norm_(std::vector<Tensor>{p}, 1e9));
  }
  CHECK(norms[0] == norms[1]);
  CHECK(norms[0] == norms[2]);
}

TEST_CASE("bounds are validated") {
  const Fixture f;
  CHECK(error_of<ValueError>([&] { nn::clip_grad_norm_(f.parameters, -1); }) ==
        "clip_grad_norm_: expected max_norm >= 0, got -1.0");
  CHECK(error_of<ValueError>([&] { nn::clip_grad_norm_(f.parameters, 1, {.norm_type = 0}); }) ==
        "clip_grad_norm_: expected norm_type > 0, got 0.0");
  CHECK(error_of<ValueError>([&] { nn::clip_grad_value_(f.parameters, NAN); }) ==
        "clip_grad_value_: expected clip_value >= 0, got nan");
  CHECK_THROWS_AS(nn::clip_grad_value_(std::vector<Tensor>{Tensor()}, 1), TypeError);
}
