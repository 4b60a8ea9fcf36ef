// SPDX-License-Identifier: MIT
// Every function names itself in its errors, also where another one does its work.

#include <doctest/doctest.h>

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/engine/optim_steps.h"
#include "teff/engine/random.h"

using namespace teff;

namespace {

struct WrongCall {
  std::string function;
  std::function<void()> call;
};

/// The text of the Error that the call throws, or what it did instead.
std::string text_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  } catch (const std::exception& error) {
    return std::string("(not an Error) ") + error.what();
  }
  return "(no error)";
}

void check_names(const std::vector<WrongCall>& calls) {
  for (const WrongCall& wrong : calls) {
    const std::string text = text_of(wrong.call);
    INFO(wrong.function << " said: " << text);
    CHECK(text.starts_with(wrong.function + ": expected "));
  }
}

const Tensor none;

Tensor f(const Shape& shape) { return ones(shape); }
Tensor i64(const Shape& shape) { return zeros(shape, {.dtype = DType::int64}); }
Tensor u16(const Shape& shape) { return zeros(shape, {.dtype = DType::uint16}); }

}  // namespace

TEST_SUITE("error names") {
  TEST_CASE("functions of undefined tensors name themselves") {
    const Tensor x = f({2, 2});
    check_names({
        {"add", [] { add(none, none); }},
        {"add", [=] { add(x, none); }},
        {"sub", [=] { sub(none, x); }},
        {"mul", [=] { mul(none, x); }},
        {"div", [=] { div(none, x); }},
        {"maximum", [=] { maximum(none, x); }},
        {"minimum", [=] { minimum(none, x); }},
        {"pow", [=] { pow(none, x); }},
        {"add", [] { add(none, 1); }},
        {"add", [] { static_cast<void>(none + 1); }},
        {"add", [] { static_cast<void>(1 + none); }},
        {"sub", [] { sub(none, 1); }},
        {"sub", [] { sub(1, none); }},
        {"mul", [] { mul(none, 1); }},
        {"div", [] { div(none, 1); }},
        {"div", [] { div(1, none); }},
        {"pow", [] { pow(none, 2); }},
        {"pow", [] { static_cast<void>(none.pow(2)); }},
        {"eq", [=] { eq(none, x); }},
        {"ne", [=] { ne(none, x); }},
        {"lt", [=] { lt(none, x); }},
        {"le", [=] { le(none, x); }},
        {"gt", [=] { gt(none, x); }},
        {"ge", [=] { ge(none, x); }},
        {"eq", [] { eq(none, 1); }},
        {"ne", [] { ne(none, 1); }},
        {"lt", [] { lt(none, 1); }},
        {"le", [] { le(none, 1); }},
        {"gt", [] { gt(none, 1); }},
        {"ge", [] { ge(none, 1); }},
        {"neg", [] { neg(none); }},
        {"neg", [] { static_cast<void>(-none); }},
        {"exp", [] { exp(none); }},
        {"log", [] { log(none); }},
        {"sqrt", [] { sqrt(none); }},
        {"abs", [] { abs(none); }},
        {"clamp", [] { clamp(none, 0); }},
        {"relu", [] { relu(none); }},
        {"leaky_relu", [] { leaky_relu(none); }},
        {"sigmoid", [] { sigmoid(none); }},
        {"tanh", [] { tanh(none); }},
        {"prelu", [=] { prelu(none, x); }},
        {"prelu", [=] { prelu(x, none); }},
        {"hardtanh", [] { hardtanh(none); }},
        {"elu", [] { elu(none); }},
        {"silu", [] { silu(none); }},
        {"hardswish", [] { hardswish(none); }},
        {"hardsigmoid", [] { hardsigmoid(none); }},
        {"softplus", [] { softplus(none); }},
        {"gelu", [] { gelu(none); }},
        {"gelu", [] { gelu(none, GeluApproximation::tanh); }},
        {"to", [] { to(none, DType::float64); }},
        {"softmax", [] { softmax(none, 0); }},
        {"log_softmax", [] { log_softmax(none, 0); }},
        {"max_with_indices", [] { max(none, 0); }},
        {"min_with_indices", [] { min(none, 0); }},
        {"split", [] { split(none, 1); }},
        {"split_with_sizes",
         [] {
           split(none, {1, 2});
         }},
        {"chunk", [] { chunk(none, 2); }},
        {"sum", [] { sum(none); }},
        {"mean", [] { mean(none); }},
        {"max", [] { max(none); }},
        {"min", [] { min(none); }},
        {"argmax", [] { argmax(none); }},
        {"matmul", [=] { matmul(none, x); }},
        {"matmul", [=] { matmul(x, none); }},
        {"linear", [=] { linear(none, x); }},
        {"linear", [=] { linear(x, none); }},
        {"batch_norm", [] { batch_norm(none, none, none); }},
        {"group_norm", [] { group_norm(none, 1); }},
        {"layer_norm", [] { layer_norm(none, {2}); }},
        {"dropout", [] { dropout(none); }},
        {"dropout", [] { dropout(none, 0.5, false); }},
        {"dropout2d", [] { dropout2d(none); }},
        {"view", [] { view(none, {1}); }},
        {"flatten", [] { flatten(none); }},
        {"squeeze", [] { squeeze(none); }},
        {"unsqueeze", [] { unsqueeze(none, 0); }},
        {"transpose", [] { transpose(none, 0, 1); }},
        {"permute",
         [] {
           permute(none, {0, 1});
         }},
        {"expand", [] { expand(none, {1}); }},
        {"cat",
         [] {
           cat({none, none});
         }},
        {"stack",
         [=] {
           stack({none, x});
         }},
        {"stack",
         [=] {
           stack({x, none});
         }},
        {"slice", [] { slice(none, 0, 0); }},
        {"select", [] { select(none, 0, 0); }},
        {"select", [] { static_cast<void>(none[0]); }},
        {"index_select", [] { index_select(none, 0, i64({1})); }},
        {"index_select", [=] { index_select(x, 0, none); }},
        {"embedding", [=] { embedding(none, x); }},
        {"embedding", [] { embedding(i64({1}), none); }},
        {"conv2d", [] { conv2d(none, none); }},
        {"conv1d", [] { conv1d(none, none); }},
        {"conv1d",
         [] {
           conv1d(f({1, 1, 3}), none);
         }},
        {"conv_transpose2d", [] { conv_transpose2d(none, none); }},
        {"max_pool2d", [] { max_pool2d(none, 2); }},
        {"avg_pool2d", [] { avg_pool2d(none, 2); }},
        {"adaptive_avg_pool2d", [] { adaptive_avg_pool2d(none, 2); }},
        {"adaptive_max_pool2d", [] { adaptive_max_pool2d(none, 2); }},
        {"interpolate", [] { interpolate(none, {.size = 2}); }},
        {"interpolate", [] { interpolate(none, {.size = 2, .mode = InterpolateMode::bilinear}); }},
        {"pad",
         [] {
           pad(none, {1, 1});
         }},
        {"pad",
         [] {
           pad(none, {1, 1}, PadMode::reflect);
         }},
        {"nll_loss", [] { nll_loss(none, i64({1})); }},
        {"nll_loss",
         [] {
           nll_loss(f({1, 2}), none);
         }},
        {"cross_entropy", [] { cross_entropy(none, i64({1})); }},
        {"cross_entropy",
         [] {
           cross_entropy(f({1, 2}), none);
         }},
        {"mse_loss", [=] { mse_loss(none, x); }},
        {"l1_loss", [=] { l1_loss(x, none); }},
        {"smooth_l1_loss", [=] { smooth_l1_loss(none, x); }},
        {"huber_loss", [=] { huber_loss(none, x); }},
        {"binary_cross_entropy", [=] { binary_cross_entropy(none, x); }},
        {"binary_cross_entropy_with_logits", [=] { binary_cross_entropy_with_logits(none, x); }},
        {"kl_div", [=] { kl_div(none, x); }},
        {"zeros_like", [] { zeros_like(none); }},
        {"ones_like", [] { ones_like(none); }},
    });
  }

  TEST_CASE("methods of undefined tensors name themselves") {
    const Tensor x = f({2, 2});
    check_names({
        {"item", [] { static_cast<void>(none.item<float>()); }},
        {"set_grad", [=] { none.set_grad(x); }},
        {"set_data", [=] { none.set_data(x); }},
        {"set_data", [=] { x.set_data(none); }},
        {"backward", [] { none.backward(); }},
        {"requires_grad_", [] { none.requires_grad_(); }},
        {"detach", [] { static_cast<void>(none.detach()); }},
        {"to", [] { static_cast<void>(none.to(DType::int64)); }},
        {"clone", [] { static_cast<void>(none.clone()); }},
        {"copy_", [=] { none.copy_(x); }},
        {"copy_", [=] { x.copy_(none); }},
        {"fill_", [] { none.fill_(1); }},
        {"zero_", [] { none.zero_(); }},
        {"add_", [=] { none.add_(x); }},
        {"add_", [=] { x.add_(none); }},
        {"add_", [=] { x.add_(none, 0.5); }},
        {"sub_", [=] { none.sub_(x); }},
        {"sub_", [=] { x.sub_(none); }},
        {"mul_", [=] { none.mul_(x); }},
        {"mul_", [=] { x.mul_(none); }},
        {"mul_", [] { none.mul_(2); }},
        {"div_", [=] { none.div_(x); }},
        {"div_", [=] { x.div_(none); }},
        {"uniform_", [] { none.uniform_(); }},
        {"normal_", [] { none.normal_(); }},
        {"bernoulli_", [] { none.bernoulli_(); }},
        {"t", [] { static_cast<void>(none.t()); }},
    });
  }

  TEST_CASE("functions given wrong shapes, dtypes or numbers name themselves") {
    const Tensor x = f({2, 3}), image = f({1, 2, 4, 4});
    const double infinity = std::numeric_limits<double>::infinity();
    check_names({
        {"add",
         [=] {
           add(x, f({2, 2}));
         }},
        {"add", [=] { add(u16({2}), 3); }},
        {"add", [] { add(u16({2}), 1); }},
        {"sub", [=] { sub(u16({2}), 3); }},
        {"sub", [=] { sub(3, u16({2})); }},
        {"mul", [=] { mul(u16({2}), 3); }},
        {"div", [=] { div(u16({2}), 2); }},
        {"div", [=] { div(2, u16({2})); }},
        {"pow", [] { pow(u16({2}), 2); }},
        {"pow", [=] { pow(x, f({4})); }},
        {"eq", [=] { eq(x, f({4})); }},
        {"eq", [] { eq(u16({4}), 1); }},
        {"lt", [] { lt(u16({4}), 1); }},
        {"clamp", [=] { clamp(x, std::nullopt, std::nullopt); }},
        {"clamp", [=] { clamp(x, f({7})); }},
        {"where", [=] { where(x, x, x); }},
        {"where", [=] { where(x > 0, f({7}), x); }},
        {"masked_fill", [=] { masked_fill(x, x, 0); }},
        {"masked_fill", [=] { masked_fill(x, x > 0, x); }},
        {"floor_divide", [] { floor_divide(i64({2}), 0); }},
        {"remainder", [] { i64({2}) % i64({3}); }},
        {"div", [] { div(i64({2}), 0, RoundingMode::trunc); }},
        {"atan2", [=] { atan2(x, f({7})); }},
        {"bitwise_and", [=] { x& x; }},
        {"bitwise_not", [=] { ~x; }},
        {"logical_or", [=] { logical_or(x, f({7})); }},
        {"isclose", [=] { isclose(x, x, {.rtol = -1}); }},
        {"allclose", [=] { static_cast<void>(allclose(x, f({7}))); }},
        {"sin", [] { sin(u16({2})); }},
        {"mish", [] { mish(i64({2})); }},
        {"celu", [=] { celu(x, 0); }},
        {"softshrink", [=] { softshrink(x, -1); }},
        {"lerp", [=] { lerp(x, f({7}), 0.5); }},
        {"all", [=] { all(x, 7); }},
        {"argmin", [=] { argmin(x, 7); }},
        {"cumsum", [=] { cumsum(x, 7); }},
        {"prod", [=] { prod(x, 7); }},
        {"var", [=] { var(x, 7); }},
        {"std", [] { teff::std(i64({2})); }},
        {"norm", [=] { norm(x, 2, 7); }},
        {"logsumexp", [=] { logsumexp(x, 7); }},
        {"median", [] { median(f({0})); }},
        {"clamp", [] { clamp(u16({2}), 0); }},
        {"prelu", [=] { prelu(x, f({5})); }},
        {"prelu", [=] { prelu(x, f({3}).to(DType::float64)); }},
        {"hardtanh", [=] { hardtanh(x, 1, -1); }},
        {"hardtanh", [] { hardtanh(i64({2})); }},
        {"gelu", [] { gelu(i64({2}), GeluApproximation::tanh); }},
        {"softmax", [=] { softmax(x, 2); }},
        {"sum", [=] { sum(x, 2); }},
        {"sum",
         [=] {
           sum(x, {0, 0});
         }},
        {"mean", [] { mean(i64({2})); }},
        {"max", [] { max(f({0})); }},
        {"min", [] { min(f({0})); }},
        {"argmax", [=] { argmax(x, 2); }},
        {"argmax", [] { argmax(f({0})); }},
        {"matmul", [=] { matmul(x, x); }},
        {"linear",
         [=] {
           linear(x, f({2, 2}));
         }},
        {"batch_norm", [=] { batch_norm(x, f({2}), f({2})); }},
        {"group_norm", [=] { group_norm(image, 3); }},
        {"layer_norm", [=] { layer_norm(x, {4}); }},
        {"dropout", [=] { dropout(x, 2); }},
        {"dropout2d", [=] { dropout2d(f({2}), 0.5); }},
        {"dropout2d", [=] { dropout2d(image, -1); }},
        {"view", [=] { view(x, {4}); }},
        {"view", [=] { reshape(x, {4}); }},
        {"flatten", [=] { flatten(x, 1, 0); }},
        {"flatten", [=] { flatten(x, 4); }},
        {"squeeze", [=] { squeeze(x, 2); }},
        {"unsqueeze", [=] { unsqueeze(x, 4); }},
        {"transpose", [=] { transpose(x, 0, 2); }},
        {"permute",
         [=] {
           permute(x, {0, 0});
         }},
        {"expand",
         [=] {
           expand(x, {3, 3});
         }},
        {"cat", [] { cat({}); }},
        {"cat",
         [=] {
           cat({x, image});
         }},
        {"stack", [] { stack({}); }},
        {"stack",
         [=] {
           stack({x, f({3, 3})});
         }},
        {"stack",
         [=] {
           stack({x, i64({2, 3})});
         }},
        {"stack",
         [=] {
           stack({x, x}, 4);
         }},
        {"slice", [=] { slice(x, 0, 0, 1, 0); }},
        {"slice", [=] { slice(x, 2, 0); }},
        {"select", [=] { select(x, 0, 2); }},
        {"select", [=] { select(x, 2, 0); }},
        {"index_select", [=] { index_select(x, 0, f({1})); }},
        {"index_select", [=] { index_select(x, 0, i64({1}) + 7); }},
        {"index_select", [=] { index_select(x, 2, i64({1})); }},
        {"embedding", [=] { embedding(x, x); }},
        {"embedding", [=] { embedding(i64({1}) + 7, x); }},
        {"embedding", [=] { embedding(i64({1}), x, 7); }},
        {"conv2d",
         [=] {
           conv2d(image, f({1, 3, 2, 2}));
         }},
        {"conv2d",
         [=] {
           conv2d(image, f({1, 2, 2, 2}), {}, {.stride = 0});
         }},
        {"conv1d", [=] { conv1d(x, x); }},
        {"conv1d",
         [] {
           conv1d(f({1, 2, 4}), f({1, 3, 2}));
         }},
        {"conv1d",
         [] {
           conv1d(f({1, 2, 4}), f({1, 2, 7}));
         }},
        {"conv1d",
         [] {
           conv1d(f({1, 2, 4}), f({1, 2, 2}), f({3}));
         }},
        {"conv1d",
         [] {
           conv1d(f({1, 2, 4}), f({1, 2, 2}), {}, {.stride = 0});
         }},
        {"conv1d",
         [] {
           conv1d(f({1, 2, 4}), f({1, 2, 2}), {}, {.padding = -1});
         }},
        {"conv1d",
         [] {
           conv1d(f({1, 2, 4}), f({1, 2, 2}), {}, {.groups = 3});
         }},
        {"conv1d",
         [] {
           conv1d(i64({1, 2, 4}), i64({1, 2, 2}));
         }},
        {"conv_transpose2d",
         [=] {
           conv_transpose2d(image, f({1, 3, 2, 2}));
         }},
        {"max_pool2d", [=] { max_pool2d(image, 7); }},
        {"max_pool2d", [=] { max_pool2d(x, 2); }},
        {"avg_pool2d", [=] { avg_pool2d(image, 7); }},
        {"avg_pool2d", [=] { avg_pool2d(image, 2, {.divisor_override = 0}); }},
        {"adaptive_avg_pool2d", [=] { adaptive_avg_pool2d(x, 2); }},
        {"adaptive_max_pool2d", [=] { adaptive_max_pool2d(image, -2); }},
        {"interpolate", [=] { interpolate(image, {}); }},
        {"interpolate", [=] { interpolate(x, {.size = 2}); }},
        {"interpolate", [=] { interpolate(image, {.size = -2, .mode = InterpolateMode::bilinear}); }},
        {"interpolate", [=] { interpolate(image, {.scale_factor = -1}); }},
        {"pad", [=] { pad(x, {1}); }},
        {"pad",
         [=] {
           pad(x, {-4, 0});
         }},
        {"pad",
         [=] {
           pad(x, {7, 7}, PadMode::reflect);
         }},
        {"nll_loss", [=] { nll_loss(x, i64({3})); }},
        {"nll_loss", [=] { nll_loss(x, i64({2}) + 7); }},
        {"nll_loss", [=] { nll_loss(x, i64({2}), Reduction::batchmean); }},
        {"cross_entropy", [=] { cross_entropy(x, i64({3})); }},
        {"cross_entropy", [=] { cross_entropy(x, i64({2}) + 7); }},
        {"cross_entropy", [=] { cross_entropy(x, f({3})); }},
        {"cross_entropy", [=] { cross_entropy(x, i64({2}), {.weight = f({7})}); }},
        {"cross_entropy", [=] { cross_entropy(x, i64({2}), {.label_smoothing = 2}); }},
        {"cross_entropy", [=] { cross_entropy(x, x, {.weight = f({7})}); }},
        {"cross_entropy",
         [=] {
           cross_entropy(i64({2, 3}), i64({2}));
         }},
        {"cross_entropy", [=] { cross_entropy(f({}), i64({})); }},
        {"mse_loss", [=] { mse_loss(x, f({3})); }},
        {"mse_loss", [=] { mse_loss(x, x, Reduction::batchmean); }},
        {"l1_loss", [=] { l1_loss(x, f({3})); }},
        {"smooth_l1_loss", [=] { smooth_l1_loss(x, x, Reduction::mean, -1); }},
        {"huber_loss", [=] { huber_loss(x, x, Reduction::mean, 0); }},
        {"binary_cross_entropy", [=] { binary_cross_entropy(x * 2.0, x); }},
        {"binary_cross_entropy", [=] { binary_cross_entropy(x, f({3})); }},
        {"binary_cross_entropy", [=] { binary_cross_entropy(x, x, {.weight = f({7})}); }},
        {"binary_cross_entropy_with_logits", [=] { binary_cross_entropy_with_logits(x, x, {.weight = f({7})}); }},
        {"binary_cross_entropy_with_logits", [=] { binary_cross_entropy_with_logits(x, x, {.pos_weight = f({7})}); }},
        {"kl_div", [=] { kl_div(x, f({3})); }},
        {"eye", [] { eye(-1); }},
        {"zeros", [] { zeros({-1}); }},
        {"ones", [] { ones({-1}); }},
        {"empty", [] { empty({-1}); }},
        {"full", [] { full({-1}, 1); }},
        {"rand", [] { rand({-1}); }},
        {"rand", [] { rand({1}, {.dtype = DType::int64}); }},
        {"randn", [] { randn({-1}); }},
        {"randint", [] { randint(1, 1, {2}); }},
        {"randint", [] { randint(0, 1, {-2}); }},
        {"randperm", [] { randperm(-1); }},
        {"arange", [] { arange(-1); }},
        {"arange", [] { arange(0, 1, 0); }},
        {"arange", [=] { arange(0, infinity); }},
        {"tensor",
         [] {
           tensor<float>({1, 2}, Shape{3});
         }},
        {"tensor",
         [] {
           tensor<float>({{1, 2}, {3}});
         }},
        {"from_external", [] { static_cast<void>(Tensor::from_external(static_cast<float*>(nullptr), {2})); }},
        {"from_external", [] { static_cast<void>(Tensor::from_external(static_cast<float*>(nullptr), {-2})); }},
    });
  }

  TEST_CASE("methods given wrong shapes, dtypes or numbers name themselves") {
    const Tensor x = f({2, 3}), leaf = f({2, 3}).requires_grad_();
    const Tensor y = leaf * 2.0;
    check_names({
        {"size", [=] { static_cast<void>(x.size(2)); }},
        {"data", [=] { static_cast<void>(x.data<double>()); }},
        {"data", [=] { static_cast<void>(x.span<double>()); }},
        {"item", [=] { static_cast<void>(x.item<float>()); }},
        {"requires_grad_", [] { i64({2}).requires_grad_(); }},
        {"requires_grad_", [=] { y.requires_grad_(false); }},
        {"set_grad", [=] { x.set_grad(f({2})); }},
        {"set_data", [=] { y.set_data(x); }},
        {"set_data", [=] { leaf.set_data(i64({2})); }},
        {"backward", [=] { x.backward(); }},
        {"backward", [=] { y.backward(); }},
        {"copy_", [=] { x.copy_(f({4})); }},
        {"copy_", [=] { leaf.copy_(x); }},
        {"fill_", [=] { leaf.fill_(1); }},
        {"zero_", [=] { leaf.zero_(); }},
        {"add_", [=] { x.add_(f({4})); }},
        {"add_", [=] { x.add_(f({4}), 0.5); }},
        {"add_", [=] { f({3}).add_(x); }},
        {"add_", [=] { x.add_(i64({3})); }},
        {"add_", [] { i64({3}).add_(i64({3}), 0.5); }},
        {"add_", [=] { leaf.add_(x); }},
        {"sub_", [=] { x.sub_(f({4})); }},
        {"sub_", [=] { leaf.sub_(x); }},
        {"mul_", [=] { x.mul_(f({4})); }},
        {"mul_", [=] { f({3}).mul_(x); }},
        {"mul_", [] { i64({3}).mul_(0.5); }},
        {"div_", [=] { x.div_(f({4})); }},
        {"div_", [] { i64({3}).div_(i64({3})); }},
        {"div_", [=] { f({3}).div_(x); }},
        {"uniform_", [=] { x.uniform_(1, 0); }},
        {"uniform_", [] { i64({3}).uniform_(); }},
        {"normal_", [=] { x.normal_(0, -1); }},
        {"bernoulli_", [=] { x.bernoulli_(2); }},
        {"t",
         [] {
           static_cast<void>(f({1, 1, 1}).t());
         }},
        {"select", [=] { static_cast<void>(x[2]); }},
        {"max", [] { static_cast<void>(f({0}).max()); }},
        {"slice", [=] { static_cast<void>(x.slice(0, 0, 1, -1)); }},
    });
  }
}
