// SPDX-License-Identifier: MIT

// Convolutions.

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/serialize/operators/window.h"

namespace teff::serialize {

namespace {

using Call = OperatorCall;
using Numbers = std::vector<std::int64_t>;

}  // namespace

OnnxWindow::OnnxWindow(const OperatorCall& c, Numbers kernel_size)
    : kernel(std::move(kernel_size)),
      stride(c.integers("strides", Numbers(kernel.size(), 1))),
      dilation(c.integers("dilations", Numbers(kernel.size(), 1))),
      pads(c.integers("pads", Numbers(2 * kernel.size(), 0))) {
  const Tensor x = c.tensor(0);
  if (kernel.empty() || static_cast<std::size_t>(x.dim()) != rank() + 2 || stride.size() != rank() ||
      dilation.size() != rank() || pads.size() != 2 * rank()) {
    throw FormatError("expected kernel, strides, dilations and pads for each dimension of the image, got others");
  }
  for (std::size_t i = 0; i < rank(); ++i) {
    constexpr std::int64_t kMost = 1 << 20;
    const auto is_between = [](std::int64_t least, std::int64_t number) { return number >= least && number <= kMost; };
    if (!is_between(1, kernel[i]) || !is_between(1, stride[i]) || !is_between(1, dilation[i])) {
      throw FormatError("expected kernel, strides and dilations from 1 to 2^20, got others");
    }
    if (!is_between(-kMost, pads[i]) || !is_between(-kMost, pads[i + rank()])) {
      throw FormatError("expected pads from -2^20 to 2^20, got others");
    }
  }
  const std::string automatic = c.text("auto_pad", "NOTSET");
  if (automatic != "SAME_UPPER" && automatic != "SAME_LOWER") return;
  for (std::size_t i = 0; i < rank(); ++i) {
    const std::int64_t size = x.size(i + 2), out = (size + stride[i] - 1) / stride[i];
    const std::int64_t total = (out - 1) * stride[i] + dilation[i] * (kernel[i] - 1) + 1 - size;
    set_pads(i, std::max(total, std::int64_t{0}), automatic == "SAME_UPPER");
  }
}

bool OnnxWindow::is_symmetric() const {
  for (std::size_t i = 0; i < rank(); ++i) {
    if (pads[i] != pads[i + rank()] || pads[i] < 0) return false;
  }
  return true;
}

IntList OnnxWindow::sides(std::int64_t sign) const {
  IntList sides;
  for (std::size_t i = rank(); i-- > 0;) {
    sides.push_back(sign * pads[i]);
    sides.push_back(sign * pads[i + rank()]);
  }
  return sides;
}

void OnnxWindow::set_pads(std::size_t dim, std::int64_t total, bool upper) {
  pads[dim] = total < 0 ? 0 : upper ? total / 2 : total - total / 2;
  pads[dim + rank()] = total - pads[dim];
}

Tensor add_row(const Tensor& x) { return unsqueeze(x, 2); }
Tensor drop_row(const Tensor& x) { return squeeze(x, 2); }

namespace {

/// The sizes behind the first two.
Numbers image_sizes(const Tensor& x) {
  if (x.dim() < 3) throw FormatError("expected an image [N, C, ...], got " + to_string(x.shape()));
  return {x.shape().begin() + 2, x.shape().end()};
}

[[noreturn]] void refuse_rank(const Tensor& x) {
  throw UnsupportedError("expected images of one, two or three dimensions, got " + to_string(x.shape()));
}

Tensor convolved(const Call& c) {
  const Tensor weight = c.tensor(1), bias = c.maybe(2);
  OnnxWindow w(c, image_sizes(weight));
  c.ignore("kernel_shape");
  Tensor x = c.tensor(0);
  if (!w.is_symmetric()) {
    x = pad(x, w.sides());
    w.pads.assign(w.pads.size(), 0);
  }
  const std::int64_t groups = c.integer("group", 1);
  if (w.rank() == 1) return conv1d(x, weight, bias, {w.stride[0], w.pads[0], w.dilation[0], groups});
  if (w.rank() == 3)
    return conv3d(x, weight, bias, {w.triple(w.stride), w.triple(w.pads), w.triple(w.dilation), groups});
  if (w.rank() != 2) refuse_rank(x);
  return conv2d(x, weight, bias, {w.pair(w.stride), w.padding(), w.pair(w.dilation), groups});
}

Tensor whole_back(const Call& c, const OnnxWindow& w, const Numbers& pads, const Numbers& extra) {
  const Tensor x = c.tensor(0), weight = c.tensor(1), bias = c.maybe(2);
  const std::int64_t groups = c.integer("group", 1);
  if (w.rank() == 1) {
    return conv_transpose1d(x, weight, bias, {w.stride[0], pads[0], extra[0], groups, w.dilation[0]});
  }
  if (w.rank() == 3) {
    return conv_transpose3d(x, weight, bias,
                            {w.triple(w.stride), w.triple(pads), w.triple(extra), groups, w.triple(w.dilation)});
  }
  return conv_transpose2d(x, weight, bias, {w.pair(w.stride), w.pair(pads), w.pair(extra), groups, w.pair(w.dilation)});
}

/// Of the whole result, what the pads leave: they may differ on both sides, and the output's size may be given.
Tensor convolved_back(const Call& c) {
  const Tensor weight = c.tensor(1), x = c.tensor(0);
  OnnxWindow w(c, image_sizes(weight));
  c.ignore("kernel_shape");
  if (w.rank() > 3) refuse_rank(x);
  const Numbers extra = c.integers("output_padding", Numbers(w.rank(), 0));
  Numbers sizes = c.integers("output_shape");
  const std::string automatic = c.text("auto_pad", "NOTSET");
  if (sizes.size() == w.rank() + 2) sizes.erase(sizes.begin(), sizes.begin() + 2);
  if (extra.size() != w.rank() || (!sizes.empty() && sizes.size() != w.rank())) {
    throw FormatError("expected output_padding and output_shape for each dimension of the image, got others");
  }
  if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
    for (std::size_t i = 0; i < w.rank() && sizes.size() < w.rank(); ++i) sizes.push_back(x.size(i + 2) * w.stride[i]);
  }
  const bool direct = sizes.empty() && w.is_symmetric();
  const std::vector<std::int64_t> pads = direct ? w.pads : Numbers(w.pads.size(), 0);
  const Tensor whole = whole_back(c, w, pads, extra);
  if (direct) return whole;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    w.set_pads(i, whole.size(i + 2) - sizes[i], automatic == "SAME_UPPER");
  }
  return pad(whole, w.sides(-1));
}

/// alpha * A B + beta * C, of which linear does the usual case in one.
Tensor product_and_sum(const Call& c) {
  const double alpha = c.number("alpha", 1), beta = c.number("beta", 1);
  const bool turned_a = c.flag("transA", false), turned_b = c.flag("transB", false);
  c.ignore("broadcast");
  const Tensor a = turned_a ? transpose(c.tensor(0), 0, 1) : c.tensor(0), b = c.tensor(1);
  const Tensor bias = beta == 0 ? Tensor() : c.maybe(2);
  const bool has_row = bias.defined() && bias.dim() == 1 && bias.numel() == b.size(turned_b ? 0 : 1);
  if (turned_b && alpha == 1 && beta == 1 && (!bias.defined() || has_row)) return linear(a, b, bias);
  Tensor y = matmul(a, turned_b ? transpose(b, 0, 1) : b);
  if (alpha != 1) y = y * alpha;
  if (!bias.defined()) return y;
  return y + (beta == 1 ? bias : bias * beta);
}

constexpr OperatorRow kImagesRows[] = {
    {"Conv", convolved},
    {"ConvTranspose", convolved_back},
    {"Gemm", product_and_sum},
    {"MatMul", Conversion::Binary(matmul)},
};

}  // namespace

const std::span<const OperatorRow> operators::images = kImagesRows;

}  // namespace teff::serialize
