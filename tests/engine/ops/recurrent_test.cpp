// SPDX-License-Identifier: MIT
#include "teff/engine/recurrent.h"

#include <doctest/doctest.h>

#include "engine/ops/op_test.h"
#include "support/error_of.h"
#include "support/same.h"
#include "teff/engine/autograd.h"
#include "teff/engine/op_registry.h"
#include "teff/engine/random.h"

using namespace teff;
using namespace teff::testing;

namespace {

RecurrentWeights recurrent_weights(RecurrentCell cell, std::int64_t input, std::int64_t hidden) {
  const std::int64_t width = gate_count(cell) * hidden;
  return {randn({width, input}), randn({width, hidden}), randn({width}), randn({width}), {}};
}

std::vector<TensorType> recurrent_types(std::initializer_list<Shape> shapes) {
  std::vector<TensorType> types;
  for (const Shape& shape : shapes) types.push_back({shape, DType::float32});
  return types;
}

std::string refused_layer(const Dict& attributes, const std::vector<TensorType>& types) {
  return error_of<Error>([&] { detail::output_types(*make_op("recurrent_layer", attributes), types); });
}

}  // namespace

TEST_SUITE("recurrent") {
  TEST_CASE("a sequence in pieces gives the bits of the whole, if each has two steps") {
    manual_seed(1);
    for (const RecurrentCell cell : {RecurrentCell::rnn_tanh, RecurrentCell::lstm, RecurrentCell::gru}) {
      for (const std::int64_t batch : {1, 5}) {
        INFO(to_string(cell), ", batch ", batch);
        const NoGradGuard no_grad;
        const RecurrentWeights weights = recurrent_weights(cell, 9, 21);
        const Tensor x = randn({23, batch, 9});
        const RecurrentResult whole = recurrent_layer(x, weights, {}, {.cell = cell});
        RecurrentState state;
        std::vector<Tensor> outputs;
        for (const auto& [begin, end] : {std::pair{0, 2}, {2, 9}, {9, 23}}) {
          const RecurrentResult piece = recurrent_layer(slice(x, 0, begin, end), weights, state, {.cell = cell});
          outputs.push_back(piece.output);
          state = piece.state;
        }
        CHECK(same(cat(outputs), whole.output));
        CHECK(same(state.h, whole.state.h));
        if (cell == RecurrentCell::lstm) CHECK(same(state.c, whole.state.c));
      }
    }
  }

  TEST_CASE("recording for backward changes no bit of a long sequence") {
    manual_seed(2);
    for (const bool reverse : {false, true}) {
      RecurrentWeights weights = recurrent_weights(RecurrentCell::lstm, 3, 40);
      const Tensor x = randn({300, 3, 3});  // more steps than gates are computed ahead
      const RecurrentLayerOptions options{.reverse = reverse};
      const RecurrentResult plain = recurrent_layer(x, weights, {}, options);
      weights.weight_ih.requires_grad_();
      const RecurrentResult recorded = recurrent_layer(x, weights, {}, options);
      CHECK(same(recorded.output.detach(), plain.output));
      CHECK(same(recorded.state.c.detach(), plain.state.c));
    }
  }

  TEST_CASE("what is beyond a row's length has no effect, and gets no gradient") {
    manual_seed(3);
    const RecurrentWeights weights = recurrent_weights(RecurrentCell::gru, 2, 3);
    Tensor x = randn({4, 2, 2});
    const RecurrentLayerOptions options{.cell = RecurrentCell::gru, .lengths = tensor<std::int64_t>({4, 2})};
    const Tensor first = recurrent_layer(x, weights, {}, options).output;
    Tensor other = x.clone();
    other.span<float>()[3 * 4 + 2] = 100;  // step 3 of row 1
    other.requires_grad_();
    const RecurrentResult result = recurrent_layer(other, weights, {}, options);
    CHECK(same(result.output.detach(), first));
    (result.output.sum() + result.state.h.sum()).backward();
    CHECK(same(slice(slice(other.grad(), 0, 2), 1, 1), zeros({2, 1, 2})));
  }

  TEST_CASE("a batch of no rows gives none, and gradients of 0") {
    RecurrentWeights weights = recurrent_weights(RecurrentCell::lstm, 2, 3);
    weights.weight_hh.requires_grad_();
    const RecurrentResult result = recurrent_layer(zeros({4, 0, 2}), weights);
    CHECK(result.output.shape() == Shape{4, 0, 3});
    CHECK(result.state.c.shape() == Shape{0, 3});
    result.output.sum().backward();
    CHECK(same(weights.weight_hh.grad(), zeros({12, 3})));
  }

  TEST_CASE("it refuses what does not fit, from a program and from a file") {
    const Dict lstm{{"cell", "lstm"}, {"has_bias", false}};
    CHECK(refused_layer(lstm, recurrent_types({{4, 2}, {12, 2}, {12, 3}})) ==
          "recurrent_layer: expected input [T, N, input], got input [4, 2]");
    CHECK(refused_layer(lstm, recurrent_types({{4, 1, 2}, {13, 2}, {13, 3}})) ==
          "recurrent_layer: expected weight_ih [4 * hidden, 2] to match input [4, 1, 2], got weight_ih [13, 2]");
    CHECK(refused_layer(lstm, recurrent_types({{4, 1, 2}, {0, 2}, {0, 0}})) ==
          "recurrent_layer: expected weight_ih [4 * hidden, 2] to match input [4, 1, 2], got weight_ih [0, 2]");
    CHECK(refused_layer(lstm, recurrent_types({{4, 1, 2}, {12, 2}, {12, 2}})) ==
          "recurrent_layer: expected weight_hh [12, 3] to match weight_ih [12, 2], got weight_hh [12, 2]");
    CHECK(
        refused_layer(lstm, recurrent_types({{0, 1, 2}, {12, 2}, {12, 3}})) ==
        "recurrent_layer: expected at least 1 step, 1 feature and 1 place of state, got input [0, 1, 2] and weight_hh "
        "[12, 3]");
    CHECK(refused_layer(lstm, recurrent_types({{4, 1, 2}, {12, 2}})) == "recurrent_layer: expected 3 inputs, got 2");
    const std::int64_t large = std::int64_t{1} << 28;
    CHECK(refused_layer(lstm, recurrent_types({{large, large, 1}, {large, 1}, {large, large / 4}})) ==
          "recurrent_layer: expected at most 2^60 multiplications, got 2.59615e+33");
    CHECK(refused_layer({{"cell", "gru"}, {"has_bias", false}, {"has_projection", true}},
                        recurrent_types({{4, 1, 2}, {9, 2}, {9, 2}, {2, 3}})) ==
          "recurrent_layer: expected a projection with the cell lstm alone, got one with gru");
    CHECK(refused_layer({{"cell", "lstm"}, {"has_bias", false}, {"has_state", true}},
                        recurrent_types({{4, 1, 2}, {12, 2}, {12, 3}, {1, 3}, {1, 2}})) ==
          "recurrent_layer: expected state c [1, 3] to match input [4, 1, 2], got state c [1, 2]");
    CHECK(error_of<Error>([&] {
            make_op("recurrent_layer", {{"cell", "qrnn"}});
          }) ==
          "recurrent_layer: attribute \"cell\": recurrent cell: expected rnn_tanh, rnn_relu, lstm or gru, got qrnn");
    const RecurrentWeights weights = recurrent_weights(RecurrentCell::gru, 2, 3);
    const Tensor x = zeros({4, 2, 2});
    const auto with_lengths = [&](const Tensor& lengths) {
      recurrent_layer(x, weights, {}, {.cell = RecurrentCell::gru, .lengths = lengths});
    };
    CHECK(error_of<ValueError>([&] {
            with_lengths(tensor<std::int64_t>({5, 1}));
          }) == "recurrent_layer: expected lengths from 1 to the 4 steps of the input, got 5");
    CHECK(error_of<TypeError>([&] {
            with_lengths(tensor<float>({4, 1}));
          }) == "recurrent_layer: expected lengths of int64, got float32; convert them with to(DType::int64)");
    CHECK(error_of<TypeError>([&] {
            recurrent_layer(x, weights, {zeros({2, 3}), zeros({2, 3})}, {.cell = RecurrentCell::gru});
          }) == "recurrent_layer: expected a state of h alone, got one with c");
  }
}
