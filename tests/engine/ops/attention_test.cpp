// SPDX-License-Identifier: MIT
#include "teff/engine/attention.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "engine/ops/op_test.h"
#include "support/error_of.h"
#include "support/same.h"
#include "teff/engine/random.h"
#include "teff/engine/testing.h"

using namespace teff;
using namespace teff::testing;

namespace {

/// With all weights in one tensor.
Tensor plain_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& added) {
  Tensor weights = matmul(q / std::sqrt(static_cast<double>(q.size(-1))), transpose(k, -2, -1));
  if (added.defined()) weights = weights + added;
  return matmul(softmax(weights, -1), v);
}

Tensor causal_mask(std::int64_t queries, std::int64_t keys) {
  Tensor mask = zeros({queries, keys}, {.dtype = DType::float64});
  for (std::int64_t i = 0; i < queries; ++i) {
    for (std::int64_t j = i + 1; j < keys; ++j) {
      mask.span<double>()[static_cast<std::size_t>(i * keys + j)] = -std::numeric_limits<double>::infinity();
    }
  }
  return mask;
}

std::string refused_attention(const Shape& q, const Shape& k, const Shape& v, const AttentionOptions& options = {}) {
  return error_of<Error>([&] { scaled_dot_product_attention(zeros(q), zeros(k), zeros(v), options); });
}

}  // namespace

TEST_SUITE("attention") {
  TEST_CASE("blocks give what all weights at once give, and so do their gradients") {
    manual_seed(1);
    const auto leaf_of = [&](const Shape& shape) { return randn(shape, {.dtype = DType::float64}).requires_grad_(); };
    for (const bool causal : {false, true}) {
      for (const auto& counts : {std::pair{301, 603}, {130, 70}, {64, 64}, {1, 9000}}) {
        const int queries = counts.first, keys = counts.second;
        INFO(queries, " queries, ", keys, " keys, causal ", causal);
        std::vector<Tensor> a{leaf_of({2, queries, 5}), leaf_of({2, keys, 5}), leaf_of({2, keys, 3})}, b;
        for (const Tensor& x : a) b.push_back(x.detach().clone().requires_grad_());
        const Tensor y = scaled_dot_product_attention(a[0], a[1], a[2], {.is_causal = causal});
        const Tensor expected = plain_attention(b[0], b[1], b[2], causal ? causal_mask(queries, keys) : Tensor());
        CHECK_NOTHROW(assert_close(y.detach(), expected.detach(), {1e-10, 1e-12}));
        (y * y).sum().backward();
        (expected * expected).sum().backward();
        for (std::size_t i = 0; i < 3; ++i) CHECK_NOTHROW(assert_close(a[i].grad(), b[i].grad(), {1e-9, 1e-11}));
      }
    }
  }

  TEST_CASE("a mask of a few bits says the same for any number in front") {
    const Tensor q = counting({2, 1, 2}), k = counting({2, 3, 2}), v = counting({2, 3, 1});
    const Tensor last = tensor<bool>({false, false, true});
    CHECK(show(scaled_dot_product_attention(q, k, v, {.attn_mask = last})) == "float32 [2, 1, 1]: 3 6");
    CHECK(show(scaled_dot_product_attention(q, k, v, {.attn_mask = last.view({1, 1, 3})})) == "float32 [2, 1, 1]: 3 6");
    const Tensor nowhere = tensor<bool>({false, false, false});
    CHECK(show(scaled_dot_product_attention(q, k, v, {.attn_mask = nowhere})) == "float32 [2, 1, 1]: nan nan");
  }

  TEST_CASE("it refuses what does not fit") {
    const std::string rule = "scaled_dot_product_attention: expected query [..., L, E], key [..., S, E], value [..., "
                             "S, V], equal in front, E "
                             "of at least 1, got ";
    CHECK(refused_attention({3}, {3}, {3}) == rule + "query [3], key [3], value [3]");
    CHECK(refused_attention({3, 2}, {4, 3}, {4, 2}) == rule + "query [3, 2], key [4, 3], value [4, 2]");
    CHECK(refused_attention({3, 2}, {4, 2}, {5, 2}) == rule + "query [3, 2], key [4, 2], value [5, 2]");
    CHECK(refused_attention({2, 3, 2}, {1, 4, 2}, {2, 4, 2}) ==
          rule + "query [2, 3, 2], key [1, 4, 2], value [2, 4, 2]");
    CHECK(refused_attention({3, 0}, {4, 0}, {4, 2}) == rule + "query [3, 0], key [4, 0], value [4, 2]");
    CHECK(refused_attention({3, 2}, {4, 2}, {4, 2}, {.attn_mask = zeros({4, 4})}) ==
          "scaled_dot_product_attention: expected attn_mask that goes with weights [3, 4], got [4, 4]");
    CHECK(refused_attention({3, 2}, {4, 2}, {4, 2}, {.attn_mask = zeros({1, 3, 4})}) ==
          "scaled_dot_product_attention: expected attn_mask that goes with weights [3, 4], got [1, 3, 4]");
    CHECK(refused_attention({3, 2}, {4, 2}, {4, 2}, {.attn_mask = zeros({4}, {.dtype = DType::int64})}) ==
          "scaled_dot_product_attention: expected attn_mask of bool or float32, got int64");
    CHECK(refused_attention({3, 2}, {4, 2}, {4, 2}, {.dropout_p = 1.5}) ==
          "scaled_dot_product_attention: expected dropout_p in [0, 1], got 1.5");
  }
}
