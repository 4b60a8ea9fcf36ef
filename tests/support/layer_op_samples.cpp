// SPDX-License-Identifier: MIT
#include "support/input_makers.h"
#include "support/op_samples.h"

namespace teff::testing {
namespace {

Dict interpolated(const IntList& size, const char* mode, bool align_corners) {
  return {{"size", size}, {"mode", mode}, {"align_corners", align_corners}};
}

Dict scaled(double height, double width, const char* mode) {
  return {{"scale_height", height}, {"scale_width", width}, {"mode", mode}};
}

Dict padded(const IntList& padding, const char* mode) { return {{"padding", padding}, {"mode", mode}}; }

Dict transposed(const IntList& stride, const IntList& padding, const IntList& output_padding, std::int64_t groups,
                const IntList& dilation) {
  return {{"stride", stride},
          {"padding", padding},
          {"output_padding", output_padding},
          {"groups", groups},
          {"dilation", dilation}};
}

Dict normalised(const char* what, const Value& value, bool weight, bool bias) {
  return {{what, value}, {"eps", 1e-3}, {"has_weight", weight}, {"has_bias", bias}};
}

void add_activations(std::vector<OpSample>& samples) {
  for (const char* op : {"gelu", "gelu_tanh", "silu", "hardswish", "hardsigmoid"}) {
    samples.push_back({op, {}, {wide({3, 21})}});
  }
  samples.push_back({"hardtanh", {{"min", -1.5}, {"max", 2.0}}, {wide({3, 7})}});
  samples.push_back({"elu", {{"alpha", 0.7}}, {away_from_zero({3, 7})}});
  samples.push_back({"softplus", {{"beta", 2.0}, {"threshold", 3.0}}, {wide({3, 7})}});
  samples.push_back({"prelu", {}, {away_from_zero({2, 3, 4}), smooth({3, 1})}});
}

void add_images(std::vector<OpSample>& samples) {
  samples.push_back({"conv_transpose2d",
                     transposed({2, 3}, {1, 0}, {1, 2}, 1, {1, 1}),
                     {smooth({2, 3, 3, 4}), smooth({3, 2, 3, 3}), smooth({2})}});
  samples.push_back({"conv_transpose2d",
                     transposed({1, 2}, {0, 1}, {0, 0}, 2, {2, 1}),
                     {smooth({1, 4, 3, 2}), smooth({4, 3, 2, 3})}});
  for (const char* op : {"adaptive_avg_pool2d", "adaptive_max_pool2d"}) {
    samples.push_back({op, {{"output_size", IntList{3, 2}}}, {distinct({2, 3, 5, 4})}});
    samples.push_back({op, {{"output_size", IntList{1, 1}}}, {distinct({2, 3, 5, 4})}});
    samples.push_back({op, {{"output_size", IntList{4, 7}}}, {distinct({1, 2, 3, 5})}});
  }
  samples.push_back({"interpolate", interpolated({5, 7}, "nearest", false), {smooth({2, 2, 3, 4})}});
  samples.push_back({"interpolate", interpolated({5, 2}, "bilinear", false), {smooth({2, 2, 3, 4})}});
  samples.push_back({"interpolate", interpolated({5, 7}, "bilinear", true), {smooth({1, 2, 3, 4})}});
  samples.push_back({"interpolate", scaled(1.7, 2.5, "bilinear"), {smooth({1, 2, 3, 4})}});
  samples.push_back({"interpolate", scaled(2.0, 0.8, "nearest"), {smooth({1, 2, 3, 4})}});
  samples.push_back({"pad", padded({2, 1, 0, 3}, "reflect"), {smooth({2, 4, 5})}});
  samples.push_back({"pad", padded({2, 6, 1, 0}, "replicate"), {smooth({2, 4, 5})}});
  samples.push_back({"pad", padded({1, 3}, "circular"), {smooth({2, 4, 3})}});
}

void add_norms(std::vector<OpSample>& samples) {
  samples.push_back(
      {"group_norm", normalised("num_groups", 2, true, true), {smooth({3, 4, 2, 3}), smooth({4}), smooth({4})}});
  samples.push_back({"group_norm", normalised("num_groups", 3, true, false), {smooth({3, 6}), smooth({6})}});
  samples.push_back({"group_norm", normalised("num_groups", 1, false, true), {smooth({2, 3, 5}), smooth({3})}});
  samples.push_back({"layer_norm",
                     normalised("normalized_shape", IntList{3, 5}, true, true),
                     {smooth({2, 3, 5}), smooth({3, 5}), smooth({3, 5})}});
  samples.push_back({"layer_norm", normalised("normalized_shape", IntList{5}, false, false), {smooth({4, 5})}});
  samples.push_back({"dropout2d", {{"p", 0.3}, {"training", false}}, {smooth({3, 7, 2})}});
  samples.push_back({"dropout2d", {{"p", 0.3}, {"training", true}}, {smooth({3, 7, 2})}});
  samples.push_back({"embedding", {{"padding_idx", -1}}, {indices({3, 4}, 4), smooth({5, 3})}});
  samples.push_back({"embedding", {{"padding_idx", Value()}}, {indices({6}, 3), smooth({3, 2})}});
}

void add_losses(std::vector<OpSample>& samples) {
  for (const char* reduction : {"none", "mean", "sum"}) {
    const Dict attributes{{"reduction", reduction}};
    const Dict smoothed{{"reduction", reduction}, {"ignore_index", 1}, {"label_smoothing", 0.2}};
    samples.push_back({"nll_loss", attributes, {smooth({4, 3, 2}), indices({4, 2}, 3)}});
    samples.push_back({"nll_loss", smoothed, {smooth({4, 3, 2}), indices({4, 2}, 3), fixed(positive({3}))}});
    for (const char* op : {"mse_loss", "l1_loss", "binary_cross_entropy_with_logits", "kl_div_log_target"}) {
      samples.push_back({op, attributes, {smooth({3, 5}), smooth({3, 5})}});
    }
    samples.push_back({"smooth_l1_loss", {{"reduction", reduction}, {"beta", 0.7}}, {smooth({3, 5}), smooth({3, 5})}});
    samples.push_back({"huber_loss", {{"reduction", reduction}, {"delta", 0.7}}, {smooth({3, 5}), smooth({3, 5})}});
    samples.push_back({"binary_cross_entropy", attributes, {probability({3, 5}), probability({3, 5})}});
  }
  for (const char* reduction : {"none", "mean", "sum", "batchmean"}) {
    samples.push_back({"kl_div", {{"reduction", reduction}}, {smooth({3, 5}), positive({3, 5})}});
  }
}

}  // namespace

void add_layer_op_samples(std::vector<OpSample>& samples) {
  add_activations(samples);
  add_images(samples);
  add_norms(samples);
  add_losses(samples);
}

void add_large_layer_op_samples(std::vector<OpSample>& samples) {
  const Dict loss{{"reduction", "mean"}};
  for (const OpSample& sample : std::vector<OpSample>{
           {"gelu", {}, {smooth({301, 401})}},
           {"prelu", {}, {smooth({3, 17, 43, 59}), smooth({17, 1, 1})}},
           {"conv_transpose2d",
            transposed({2, 2}, {1, 1}, {1, 1}, 1, {1, 1}),
            {smooth({2, 7, 33, 29}), smooth({7, 5, 3, 3}), smooth({5})}},
           {"adaptive_avg_pool2d", {{"output_size", IntList{7, 5}}}, {smooth({5, 17, 33, 29})}},
           {"adaptive_max_pool2d", {{"output_size", IntList{7, 5}}}, {smooth({5, 17, 33, 29})}},
           {"interpolate", interpolated({60, 41}, "bilinear", false), {smooth({5, 17, 33, 29})}},
           {"interpolate", interpolated({60, 41}, "nearest", false), {smooth({5, 17, 33, 29})}},
           {"pad", padded({3, 2, 2, 3}, "reflect"), {smooth({5, 17, 33, 29})}},
           {"group_norm",
            normalised("num_groups", 4, true, true),
            {smooth({5, 16, 33, 29}), smooth({16}), smooth({16})}},
           {"layer_norm",
            normalised("normalized_shape", IntList{301}, true, true),
            {smooth({401, 301}), smooth({301}), smooth({301})}},
           {"binary_cross_entropy_with_logits", loss, {smooth({301, 401}), smooth({301, 401})}},
           {"embedding", {}, {indices({3001}, 97), smooth({97, 33})}},
       }) {
    samples.push_back(sample);
  }
}

}  // namespace teff::testing
