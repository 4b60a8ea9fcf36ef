// SPDX-License-Identifier: MIT

// The way out to ATen of losses.

#include "teff/serialize/operators/aten_export.h"

namespace teff::serialize {
namespace aten_outgoing {
namespace {

using Call = AtenCall;

/// batchmean: the sum over the number of rows.
template <bool of_logarithm>
std::string divergence(Call& c) {
  const std::string loss =
      c.filled("torch.kl_div({0}, {1}, {reduction:code}, log_target=") + (of_logarithm ? "True)" : "False)");
  return c.text("reduction") == "batchmean" ? "torch.div(" + loss + ", torch.size(" + c.in(0) + ", 0))" : loss;
}

std::string connected(Call& c) { return c.filled("torch.ctc_loss({0}, {1}, {2}, {3}, {blank}, 0, {zero_infinity})"); }

/// Of several classes ATen's margin is 1: margin * loss(x / margin). It knows of negative labels only -1.
std::string by_margin(Call& c) {
  if (!c.flag("several")) {
    std::size_t next = 2;
    return c.filled("torch.multi_margin_loss({0}, {1}, {p}, {margin}, ") + c.in_if("has_weight", next) + ", 0)";
  }
  if (c.number("margin") == 1) return c.filled("torch.multilabel_margin_loss({0}, torch.clamp({1}, -1), 0)");
  return c.filled(
      "torch.mul(torch.multilabel_margin_loss(torch.div({0}, {margin}), torch.clamp({1}, -1), 0), {margin})");
}

/// (1 - s) nll + s / C smooth, where smooth is the sum over all classes of -w x; its mean is over the weights of the
/// targets, which are the loss of -1.
std::string likelihood(Call& c) {
  const double part = c.number("label_smoothing");
  const auto nll = [&](const std::string& x, std::string_view reduction) {
    return "torch.nll_loss_nd(" + x + c.filled(", {1}, {2?}, ") + std::string(reduction) +
           c.filled(", {ignore_index})");
  };
  const std::string own = nll(c.in(0), c.filled("{reduction:code}"));
  if (part == 0) return own;
  const std::int64_t dim = c.rank(0) == 1 ? 0 : 1;
  std::string weighted = c.in(0);
  if (c.input_count() > 2) {
    std::vector<std::int64_t> sizes(static_cast<std::size_t>(c.rank(0) - dim), 1);
    sizes[0] = -1;
    weighted = "torch.mul(" + weighted + ", torch.reshape(" + c.in(2) + ", " + aten_integers(sizes) + "))";
  }
  std::string smooth = c.let("torch.masked_fill(torch.neg(torch.sum(" + weighted + ", [" + std::to_string(dim) +
                             "])), " + c.filled("torch.eq({1}, {ignore_index}), 0)"));
  const std::string& reduction = c.text("reduction");
  if (reduction != "none") smooth = c.let("torch.sum(" + smooth + ')');
  if (reduction == "mean") {
    smooth = c.let("torch.div(" + smooth + ", " + nll("torch.full_like(" + c.in(0) + ", -1)", "2") + ')');
  }
  const std::string share =
      "torch.div(" + aten_float(part) + ", torch.size(" + c.in(0) + ", " + std::to_string(dim) + "))";
  return "torch.add(torch.mul(" + own + ", " + aten_float(1 - part) + "), torch.mul(" + smooth + ", " + share + "))";
}

constexpr AtenExport kAtenLossesRows[] = {
    {"binary_cross_entropy", "torch.binary_cross_entropy({0}, {1}, None, {reduction:code})"},
    {"binary_cross_entropy_with_logits",
     "torch.binary_cross_entropy_with_logits({0}, {1}, None, None, {reduction:code})"},
    {"ctc_loss", "ctc_loss", connected, "PyTorch's gradient is right behind log_softmax alone"},
    {"huber_loss", "torch.huber_loss({0}, {1}, {reduction:code}, {delta})"},
    {"kl_div", "kl_div", divergence<false>},
    {"kl_div_log_target", "kl_div", divergence<true>},
    {"l1_loss", "torch.l1_loss({0}, {1}, {reduction:code})"},
    {"mse_loss", "torch.mse_loss({0}, {1}, {reduction:code})"},
    {"multi_margin_loss", "multi_margin_loss, multilabel_margin_loss", by_margin},
    {"nll_loss", "nll_loss_nd", likelihood, "with label_smoothing also sum, where"},
    {"smooth_l1_loss", "torch.smooth_l1_loss({0}, {1}, {reduction:code}, {beta})"},
};

}  // namespace
}  // namespace aten_outgoing

const std::span<const AtenExport> operators::aten_out_losses = aten_outgoing::kAtenLossesRows;

}  // namespace teff::serialize
