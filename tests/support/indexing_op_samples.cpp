// SPDX-License-Identifier: MIT
#include "support/input_makers.h"
#include "support/op_samples.h"

namespace teff::testing {
namespace {

InputMaker places(std::vector<std::int64_t> values, const Shape& shape) {
  return {[=](unsigned) { return tensor(values, shape); }, false};
}

InputMaker rising(const Shape& shape) {
  return fixed({[=](unsigned) {
    return arange(0.5, static_cast<double>(numel(shape)), 1, {.dtype = DType::float64}).view(shape);
  }});
}

Dict sampled(const char* mode, const char* padding, bool align_corners) {
  return {{"mode", mode}, {"padding_mode", padding}, {"align_corners", align_corners}};
}

Dict bmm_of(bool transpose_a, bool transpose_b) { return {{"transpose_a", transpose_a}, {"transpose_b", transpose_b}}; }

void add_moves(std::vector<OpSample>& samples) {
  samples.push_back({"flip", {{"dims", IntList{0, -1}}}, {smooth({2, 3, 4})}});
  for (const char* op : {"tril", "triu"}) samples.push_back({op, {{"diagonal", -1}}, {smooth({2, 4, 3})}});
  samples.push_back({"diagonal", {{"offset", 1}, {"dim1", 2}, {"dim2", 0}}, {smooth({3, 2, 4})}});
  samples.push_back({"diag_embed", {{"offset", -1}, {"dim1", 0}, {"dim2", -1}}, {smooth({2, 3})}});
  samples.push_back({"unfold", {{"dim", 1}, {"size", 3}, {"step", 2}, {"dilation", 2}}, {smooth({2, 9, 2})}});
  samples.push_back({"fold", {{"dim", 1}, {"output_size", 9}, {"step", 2}, {"dilation", 2}}, {smooth({2, 3, 2, 3})}});
}

void add_places(std::vector<OpSample>& samples) {
  samples.push_back({"gather", {{"dim", 1}}, {smooth({3, 4, 2}), indices({2, 5, 2}, 4)}});
  samples.push_back({"gather", {{"dim", -1}}, {smooth({3, 4}), indices({3, 6}, 4)}});
  samples.push_back({"scatter", {{"dim", 0}}, {smooth({4, 2}), places({3, 0, 1, 2}, {2, 2}), smooth({3, 2})}});
  samples.push_back({"scatter_add", {{"dim", 1}}, {smooth({2, 3, 2}), indices({2, 5, 1}, 3), smooth({2, 5, 2})}});
  samples.push_back({"index", {{"dim", 1}}, {smooth({2, 3, 4}), indices({3, 1}, 3), indices({2}, 4)}});
  samples.push_back({"index", {{"dim", 0}}, {smooth({5, 3}), places({-1, 0, 4, 2}, {2, 2})}});
  samples.push_back(
      {"index_put", {{"dim", 1}, {"accumulate", true}}, {smooth({2, 3, 2}), smooth({2, 4, 2}), indices({4}, 3)}});
  samples.push_back({"index_put",
                     {{"dim", 0}, {"accumulate", false}},
                     {smooth({3, 2, 2}), smooth({2, 2}), places({2, 0}, {2}), places({1, -1}, {2})}});
  samples.push_back({"one_hot", {{"num_classes", 4}}, {indices({2, 3}, 4)}});
  samples.push_back({"searchsorted", {{"right", true}}, {rising({2, 5}), smooth({2, 3})}});
}

void add_orders(std::vector<OpSample>& samples) {
  samples.push_back({"sort", {{"dim", 1}, {"descending", true}}, {distinct({2, 5, 3})}});
  samples.push_back({"sort", {{"dim", -1}, {"descending", false}}, {distinct({3, 4})}});
  samples.push_back({"topk", {{"k", 3}, {"dim", 0}, {"largest", true}}, {distinct({5, 3})}});
  samples.push_back({"topk", {{"k", 2}, {"dim", -1}, {"largest", false}}, {distinct({2, 7})}});
  samples.push_back({"kthvalue", {{"k", 2}, {"dim", 1}}, {distinct({2, 5, 3})}});
}

void add_sums_of_products(std::vector<OpSample>& samples) {
  samples.push_back({"bmm", bmm_of(false, false), {smooth({2, 3, 4}), smooth({2, 4, 5})}});
  samples.push_back({"bmm", bmm_of(true, false), {smooth({2, 4, 3}), smooth({2, 4, 5})}});
  samples.push_back({"bmm", bmm_of(false, true), {smooth({2, 3, 4}), smooth({2, 5, 4})}});
  samples.push_back({"bmm", bmm_of(true, true), {smooth({2, 4, 3}), smooth({2, 5, 4})}});
  samples.push_back({"cdist", {{"p", 2.0}}, {smooth({2, 3, 4}), distinct({2, 2, 4})}});
  samples.push_back({"cdist", {{"p", 1.5}}, {smooth({1, 3, 2}), distinct({1, 4, 2})}});
  samples.push_back({"grid_sample", sampled("bilinear", "zeros", false), {smooth({2, 2, 4, 3}), smooth({2, 3, 2, 2})}});
  samples.push_back({"grid_sample", sampled("bilinear", "border", true), {smooth({1, 2, 4, 3}), smooth({1, 3, 2, 2})}});
  samples.push_back(
      {"grid_sample", sampled("bicubic", "reflection", false), {smooth({1, 2, 4, 3}), smooth({1, 2, 2, 2})}});
  samples.push_back(
      {"grid_sample", sampled("nearest", "reflection", true), {smooth({1, 2, 4, 3}), smooth({1, 2, 2, 2})}});
}

}  // namespace

void add_indexing_op_samples(std::vector<OpSample>& samples) {
  add_moves(samples);
  add_places(samples);
  add_orders(samples);
  add_sums_of_products(samples);
}

void add_large_indexing_op_samples(std::vector<OpSample>& samples) {
  samples.push_back({"flip", {{"dims", IntList{0, 1}}}, {smooth({301, 401})}});
  samples.push_back({"tril", {{"diagonal", 3}}, {smooth({301, 401})}});
  samples.push_back({"gather", {{"dim", 0}}, {smooth({301, 401}), indices({401, 301}, 301)}});
  samples.push_back({"gather", {{"dim", 1}}, {smooth({301, 401}), indices({301, 501}, 401)}});
  samples.push_back({"scatter_add", {{"dim", 1}}, {smooth({301, 11}), indices({301, 401}, 11), smooth({301, 401})}});
  samples.push_back({"index", {{"dim", 0}}, {smooth({101, 401}), indices({501}, 101)}});
  samples.push_back({"index", {{"dim", 1}}, {smooth({101, 401}), indices({501}, 401)}});
  samples.push_back(
      {"index_put", {{"dim", 0}, {"accumulate", true}}, {smooth({7, 401}), smooth({501, 401}), indices({501}, 7)}});
  samples.push_back({"sort", {{"dim", 1}, {"descending", false}}, {distinct({31, 2001})}});
  samples.push_back({"topk", {{"k", 9}, {"dim", 0}, {"largest", true}}, {distinct({3001, 31})}});
  samples.push_back({"bmm", bmm_of(false, true), {smooth({9, 51, 33}), smooth({9, 47, 33})}});
  samples.push_back({"cdist", {{"p", 2.0}}, {smooth({3, 101, 20}), smooth({3, 97, 20})}});
  samples.push_back({"unfold", {{"dim", 1}, {"size", 5}, {"step", 1}, {"dilation", 1}}, {smooth({51, 401})}});
  samples.push_back(
      {"grid_sample", sampled("bilinear", "zeros", false), {smooth({5, 3, 31, 41}), smooth({5, 61, 51, 2})}});
}

}  // namespace teff::testing
