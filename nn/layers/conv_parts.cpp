// SPDX-License-Identifier: MIT
#include "teff/nn/layers/conv_parts.h"

#include <algorithm>

#include "teff/nn/text.h"

namespace teff::nn::detail {
namespace {

bool all_are(const IntList& list, std::int64_t value) {
  return std::all_of(list.begin(), list.end(), [=](std::int64_t one) { return one == value; });
}

}  // namespace

PaddingKind padding_kind(std::string_view word) {
  expect(word == "same" || word == "valid", "padding", "\"same\", \"valid\" or pixels", quoted(word));
  return word == "same" ? PaddingKind::same : PaddingKind::valid;
}

IntList kernel_of(const Tensor& weight) {
  IntList sides;
  for (std::int64_t dim = 2; dim < weight.dim(); ++dim) sides.push_back(weight.size(dim));
  return sides;
}

void check_conv(const char* layer, std::int64_t in_channels, std::int64_t out_channels, const ConvSizes& sizes) {
  expect_at_least(1, layer, "in_channels", in_channels);
  expect_at_least(1, layer, "out_channels", out_channels);
  expect_at_least(1, layer, "kernel_size", sizes.kernel_size);
  expect_at_least(1, layer, "stride", sizes.stride);
  expect_at_least(0, layer, "padding", sizes.padding);
  expect_at_least(0, layer, "output_padding", sizes.output_padding);
  expect_at_least(1, layer, "dilation", sizes.dilation);
  expect_divisible(layer, "in_channels", in_channels, sizes.groups);
  expect_divisible(layer, "out_channels", out_channels, sizes.groups);
  expect(sizes.padding_kind != PaddingKind::same || all_are(sizes.stride, 1), layer, "stride 1 with padding \"same\"",
         int_or_tuple(sizes.stride));
  for (std::size_t i = 0; i < sizes.output_padding.size(); ++i) {
    expect(sizes.output_padding[i] < sizes.stride[i] || sizes.output_padding[i] < sizes.dilation[i], layer,
           "output_padding below stride or dilation", int_or_tuple(sizes.output_padding));
  }
}

PaddingParts padding_parts(const ConvSizes& sizes) {
  const bool same = sizes.padding_kind == PaddingKind::same;
  bool direct = sizes.padding_mode == PadMode::constant;
  PaddingParts parts;
  for (std::size_t i = sizes.padding.size(); i-- > 0;) {
    const std::int64_t both = sizes.dilation[i] * (sizes.kernel_size[i] - 1);
    parts.before.push_back(same ? both / 2 : sizes.padding[i]);
    parts.before.push_back(same ? both - both / 2 : sizes.padding[i]);
    parts.itself.insert(0, parts.before[parts.before.size() - 2]);
    direct = direct && (!same || both % 2 == 0);
  }
  if (direct) {
    parts.before = {};
  } else {
    std::fill(parts.itself.begin(), parts.itself.end(), 0);
  }
  return parts;
}

std::string conv_repr(const Tensor& weight, bool has_bias, bool transposed, const ConvSizes& sizes) {
  const std::int64_t first = weight.size(transposed ? 0 : 1) * (transposed ? 1 : sizes.groups);
  const std::int64_t second = weight.size(transposed ? 1 : 0) * (transposed ? sizes.groups : 1);
  std::string text = std::to_string(first) + ", " + std::to_string(second) +
                     ", kernel_size=" + tuple(sizes.kernel_size) + ", stride=" + tuple(sizes.stride);
  if (sizes.padding_kind != PaddingKind::pixels) {
    text += sizes.padding_kind == PaddingKind::same ? ", padding=same" : ", padding=valid";
  } else if (!all_are(sizes.padding, 0)) {
    text += ", padding=" + tuple(sizes.padding);
  }
  if (!all_are(sizes.dilation, 1)) text += ", dilation=" + tuple(sizes.dilation);
  if (!all_are(sizes.output_padding, 0)) text += ", output_padding=" + tuple(sizes.output_padding);
  if (sizes.groups != 1) text += ", groups=" + std::to_string(sizes.groups);
  if (!has_bias) text += ", bias=False";
  if (sizes.padding_mode != PadMode::constant) {
    text += ", padding_mode=" + std::string(to_string(sizes.padding_mode));
  }
  return text;
}

}  // namespace teff::nn::detail
