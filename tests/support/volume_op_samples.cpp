// SPDX-License-Identifier: MIT
#include <algorithm>
#include <numeric>
#include <random>

#include "support/input_makers.h"
#include "support/op_samples.h"

namespace teff::testing {
namespace {

/// These whole numbers.
InputMaker whole(std::vector<std::int64_t> values, const Shape& shape) {
  return {[=](unsigned) { return tensor<std::int64_t>(values, shape); }, false};
}

/// For each of the planes, [N, C], places in [0, volume), no two of a plane equal.
InputMaker places(const Shape& shape, std::int64_t volume) {
  return {[=](unsigned seed) {
            std::mt19937 generator(seed);
            const Tensor result = empty(shape, {.dtype = DType::int64});
            std::vector<std::int64_t> all(static_cast<std::size_t>(volume));
            std::iota(all.begin(), all.end(), 0);
            const std::int64_t planes = shape[0] * shape[1], count = result.numel() / planes;
            for (std::int64_t plane = 0; plane < planes; ++plane) {
              std::shuffle(all.begin(), all.end(), generator);
              std::copy_n(all.begin(), count, result.data<std::int64_t>() + plane * count);
            }
            return result;
          },
          false};
}

Dict window(const IntList& kernel, const IntList& stride, const IntList& padding, const IntList& dilation, bool ceil) {
  return {
      {"kernel_size", kernel}, {"stride", stride}, {"padding", padding}, {"dilation", dilation}, {"ceil_mode", ceil}};
}

Dict bag(const char* mode, bool offsets, bool weights, const Value& padding) {
  return {{"mode", mode}, {"padding_idx", padding}, {"has_offsets", offsets}, {"has_weights", weights}};
}

void add_indexed_pools(std::vector<OpSample>& samples) {
  samples.push_back(
      {"max_pool_with_indices", window({2, 3, 2}, {1, 2, 2}, {1, 1, 0}, {1, 2, 1}, true), {distinct({2, 2, 3, 6, 5})}});
  samples.push_back(
      {"adaptive_max_pool_with_indices", {{"output_size", IntList{2, 3, 1}}}, {distinct({2, 2, 3, 5, 4})}});
  samples.push_back({"fractional_max_pool",
                     {{"kernel_size", IntList{1, 2, 2}}, {"output_size", IntList{2, 3, 2}}},
                     {distinct({2, 2, 3, 7, 5}), fixed(probability({2, 2, 3}))}});
  samples.push_back(
      {"max_unpool", {{"output_size", IntList{3, 2, 5}}}, {smooth({2, 2, 2, 2, 3}), places({2, 2, 2, 2, 3}, 30)}});
}

void add_drawing_layers(std::vector<OpSample>& samples) {
  for (const bool corners : {false, true}) {
    samples.push_back({"interpolate",
                       {{"size", IntList{5, 2}}, {"mode", "bicubic"}, {"align_corners", corners}},
                       {smooth({2, 2, 3, 4})}});
  }
  samples.push_back({"interpolate", {{"size", IntList{5, 2}}, {"mode", "nearest-exact"}}, {smooth({2, 2, 3, 4})}});
  const InputMaker channel = smooth({3}), mean = fixed(smooth({3})), variance = fixed(positive({3}));
  for (const bool training : {false, true}) {
    const Dict dropout{{"p", 0.3}, {"training", training}};
    samples.push_back({"alpha_dropout", dropout, {smooth({3, 7})}});
    samples.push_back({"feature_alpha_dropout", dropout, {smooth({3, 7, 2})}});
    samples.push_back({"rrelu", {{"lower", 0.1}, {"upper", 0.4}, {"training", training}}, {away_from_zero({3, 7})}});
    samples.push_back(
        {"instance_norm",
         {{"training", training}, {"momentum", 0.3}, {"eps", 1e-3}, {"has_weight", true}, {"has_bias", true}},
         {smooth({2, 3, 2, 5}), mean, variance, channel, channel}});
  }
  for (const char* mode : {"sum", "mean", "max"}) {
    samples.push_back({"embedding_bag", bag(mode, false, false, 2), {indices({3, 4}, 5), distinct({5, 3})}});
    samples.push_back(
        {"embedding_bag", bag(mode, true, false, Value()), {indices({7}, 5), distinct({5, 3}), whole({0, 3, 3}, {3})}});
  }
  samples.push_back({"embedding_bag",
                     bag("sum", true, true, -2),
                     {indices({7}, 5), smooth({5, 3}), whole({0, 3, 3}, {3}), smooth({7})}});
}

void add_sequence_losses(std::vector<OpSample>& samples) {
  for (const std::int64_t p : {1, 2}) {
    samples.push_back({"multi_margin_loss", {{"p", p}, {"margin", 0.77}}, {distinct({4, 5}), indices({4}, 5)}});
  }
  samples.push_back({"multi_margin_loss",
                     {{"margin", 1.03}, {"has_weight", true}},
                     {distinct({4, 5}), indices({4}, 5), fixed(positive({5}))}});
  samples.push_back({"multi_margin_loss",
                     {{"margin", 1.03}, {"several", true}},
                     {distinct({2, 4}), whole({3, 0, -1, 1, 2, 1, 0, -5}, {2, 4})}});
  samples.push_back({"ctc_loss",
                     {{"blank", 3}},
                     {smooth({5, 2, 4}), whole({1, 1, 0, 2, 0, 0}, {2, 3}), whole({5, 4}, {2}), whole({3, 1}, {2})}});
  samples.push_back({"ctc_loss",
                     {{"blank", 0}, {"zero_infinity", true}},
                     {smooth({3, 3, 4}), whole({1, 1, 2, 3, 2}, {5}), whole({3, 3, 2}, {3}), whole({3, 0, 2}, {3})}});
}

}  // namespace

void add_volume_op_samples(std::vector<OpSample>& samples) {
  add_indexed_pools(samples);
  add_drawing_layers(samples);
  add_sequence_losses(samples);
}

void add_large_volume_op_samples(std::vector<OpSample>& samples) {
  samples.push_back({"max_pool_with_indices",
                     window({2, 3, 3}, {2, 2, 2}, {0, 1, 1}, {1, 1, 1}, false),
                     {smooth({2, 7, 6, 33, 29})}});
  samples.push_back({"ctc_loss",
                     {{"blank", 0}},
                     {smooth({40, 7, 11}), indices({7, 9}, 11), whole({40, 39, 38, 37, 36, 35, 40}, {7}),
                      whole({9, 8, 7, 6, 5, 4, 3}, {7})}});
}

}  // namespace teff::testing
