// SPDX-License-Identifier: MIT
#include "support/input_makers.h"
#include "support/op_samples.h"

namespace teff::testing {
namespace {

Dict recurrent(const char* cell, bool reverse, bool bias, bool projection, bool state, bool lengths) {
  return {{"cell", cell},       {"reverse", reverse},    {"has_bias", bias}, {"has_projection", projection},
          {"has_state", state}, {"has_lengths", lengths}};
}

/// int64: 2, 1, 3, 2, 1, ... but at most `steps`.
InputMaker lengths(std::int64_t count, std::int64_t steps) {
  return {[=](unsigned) {
            Tensor result = empty({count}, {.dtype = DType::int64});
            std::int64_t next = 2;
            for (std::int64_t& length : result.span<std::int64_t>()) length = std::min(steps, 1 + next++ % 3);
            return result;
          },
          false};
}

/// bool: true where at least one key in three may be looked at, among them the first.
InputMaker allowed(const Shape& shape) {
  return {[=](unsigned) {
            Tensor result = empty(shape, {.dtype = DType::bool_});
            std::int64_t i = 0;
            for (bool& may : result.span<bool>()) may = i % shape[shape.size() - 1] == 0 || i % 3 != 1, ++i;
            return result;
          },
          false};
}

Dict attention(bool causal, double dropout = 0, bool training = false) {
  return {{"dropout_p", dropout}, {"training", training}, {"is_causal", causal}, {"scale", Value()}};
}

}  // namespace

void add_sequence_op_samples(std::vector<OpSample>& samples) {
  const char* const op = "recurrent_layer";
  for (const auto& [cell, gates] : {std::pair{"rnn_tanh", 1}, {"gru", 3}, {"lstm", 4}}) {
    const InputMaker x = smooth({4, 3, 2}), w = smooth({3 * gates, 2}), v = smooth({3 * gates, 3});
    const InputMaker bias = smooth({3 * gates}), state = smooth({3, 3});
    const bool lstm = gates == 4;
    std::vector<InputMaker> full{x, w, v, bias, bias, state};
    if (lstm) full.push_back(state);
    samples.push_back({op, recurrent(cell, false, true, false, true, false), full});
    samples.push_back({op, recurrent(cell, false, false, false, false, false), {x, w, v}});
    full.push_back(lengths(3, 4));
    samples.push_back({op, recurrent(cell, true, true, false, true, true), full});
  }
  samples.push_back({op,
                     recurrent("lstm", true, false, true, true, true),
                     {smooth({3, 2, 2}), smooth({12, 2}), smooth({12, 2}), smooth({2, 3}), smooth({2, 2}),
                      smooth({2, 3}), lengths(2, 3)}});
  samples.push_back({op,
                     recurrent("rnn_relu", false, false, false, false, false),
                     {away_from_zero({1, 2, 1}), fixed(positive({3, 1})), fixed(positive({3, 3}))}});

  const char* const sdpa = "scaled_dot_product_attention";
  const InputMaker q = smooth({2, 3, 4}), k = smooth({2, 5, 4}), v = smooth({2, 5, 3});
  samples.push_back({sdpa, attention(false), {q, k, v}});
  samples.push_back({sdpa, attention(true), {q, k, v}});
  samples.push_back({sdpa, attention(false), {q, k, v, smooth({3, 5})}});
  samples.push_back({sdpa, attention(true), {q, k, v, smooth({2, 1, 5})}});
  samples.push_back({sdpa, attention(false), {q, k, v, allowed({2, 3, 5})}});
  samples.push_back({sdpa, attention(false, 0.4, true), {q, k, v}});
  samples.push_back({sdpa, attention(true, 0.4, false), {q, k, v}});
}

void add_large_sequence_op_samples(std::vector<OpSample>& samples) {
  for (const auto& [cell, gates] : {std::pair{"gru", 3}, {"lstm", 4}}) {
    samples.push_back({"recurrent_layer",
                       recurrent(cell, false, false, false, false, true),
                       {smooth({7, 65, 33}), fixed(probability({70 * gates, 33})), fixed(probability({70 * gates, 70})),
                        lengths(65, 7)}});
  }
  for (const bool causal : {false, true}) {
    samples.push_back({"scaled_dot_product_attention",
                       attention(causal),
                       {smooth({2, 2, 203, 17}), smooth({2, 2, 509, 17}), smooth({2, 2, 509, 13})}});
  }
}

}  // namespace teff::testing
