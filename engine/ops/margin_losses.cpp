// SPDX-License-Identifier: MIT
#include "teff/engine/margin_losses.h"

#include "teff/engine/error_text.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/reduction.h"

namespace teff {
namespace {

void check_defined(std::string_view op, std::initializer_list<Tensor> tensors) {
  for (const Tensor& tensor : tensors) {
    if (!tensor.defined()) ops::fail<TypeError>(op, "defined inputs, got an undefined one");
  }
}

void check_same_shape(std::string_view op, const Tensor& input, const Tensor& target) {
  check_defined(op, {input, target});
  if (input.shape() == target.shape()) return;
  ops::fail<ShapeError>(op, "input and target of one shape, got input ", input.shape(), " and target ", target.shape());
}

}  // namespace

Tensor margin_ranking_loss(const Tensor& x1, const Tensor& x2, const Tensor& target, double margin,
                           Reduction reduction) {
  constexpr const char* kName = "margin_ranking_loss";
  ops::check_plain_reduction(kName, reduction);
  check_defined(kName, {x1, x2, target});
  return detail::with_name(kName, [&] { return ops::reduced(clamp(target * (x2 - x1) + margin, 0.0), reduction); });
}

Tensor hinge_embedding_loss(const Tensor& input, const Tensor& target, double margin, Reduction reduction) {
  constexpr const char* kName = "hinge_embedding_loss";
  ops::check_plain_reduction(kName, reduction);
  check_defined(kName, {input, target});
  return detail::with_name(kName, [&] {
    const Tensor apart = where(target != 1.0, clamp(margin - input, 0.0), 0.0);
    return ops::reduced(apart + where(target != -1.0, input, 0.0), reduction);
  });
}

Tensor cosine_embedding_loss(const Tensor& x1, const Tensor& x2, const Tensor& target, double margin,
                             Reduction reduction) {
  constexpr const char* kName = "cosine_embedding_loss";
  ops::check_plain_reduction(kName, reduction);
  check_defined(kName, {x1, x2, target});
  if (x1.shape() != x2.shape() || x1.dim() != target.dim() + 1 || target.dim() > 1 ||
      (target.dim() == 1 && target.size(0) != x1.size(0))) {
    ops::fail<ShapeError>(kName, "inputs [N, D] and target [N], or [D] and [], got inputs ", x1.shape(), " and ",
                          x2.shape(), " and target ", target.shape());
  }
  return detail::with_name(kName, [&] {
    constexpr double kEps = 1e-12;
    const Tensor product = sum(x1 * x2, -1), squares1 = sum(x1 * x1, -1) + kEps, squares2 = sum(x2 * x2, -1) + kEps;
    const Tensor cosine = product / sqrt(squares1 * squares2);
    const Tensor near = where(target == 1.0, 1 - cosine, 0.0);
    return ops::reduced(near + where(target == -1.0, clamp(cosine - margin, 0.0), 0.0), reduction);
  });
}

Tensor soft_margin_loss(const Tensor& input, const Tensor& target, Reduction reduction) {
  constexpr const char* kName = "soft_margin_loss";
  ops::check_plain_reduction(kName, reduction);
  check_same_shape(kName, input, target);
  // Beyond 40, log(1 + exp(x)) is x in double, too.
  return detail::with_name(kName, [&] { return ops::reduced(softplus(neg(target * input), 1, 40), reduction); });
}

Tensor multilabel_soft_margin_loss(const Tensor& input, const Tensor& target, const Tensor& weight,
                                   Reduction reduction) {
  constexpr const char* kName = "multilabel_soft_margin_loss";
  ops::check_plain_reduction(kName, reduction);
  check_same_shape(kName, input, target);
  if (input.dim() == 0) ops::fail<ShapeError>(kName, "input [..., C], got input []");
  return detail::with_name(kName, [&] {
    const Tensor losses =
        binary_cross_entropy_with_logits(input, target, {.weight = weight, .reduction = Reduction::none});
    return ops::reduced(mean(losses, -1), reduction);
  });
}

Tensor triplet_margin_with_distance_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative,
                                         const TripletMarginWithDistanceLossOptions& options) {
  constexpr const char* kName = "triplet_margin_with_distance_loss";
  ops::check_plain_reduction(kName, options.reduction);
  check_defined(kName, {anchor, positive, negative});
  const auto distance = [&](const Tensor& a, const Tensor& b) {
    return options.distance_function ? options.distance_function(a, b) : pairwise_distance(a, b);
  };
  return detail::with_name(kName, [&] {
    const Tensor near = distance(anchor, positive);
    Tensor far = distance(anchor, negative);
    if (options.swap) far = minimum(far, distance(positive, negative));
    return ops::reduced(clamp(near - far + options.margin, 0.0), options.reduction);
  });
}

Tensor triplet_margin_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative,
                           const TripletMarginLossOptions& options) {
  const auto distance = [&](const Tensor& a, const Tensor& b) {
    return pairwise_distance(a, b, {.p = options.p, .eps = options.eps});
  };
  return detail::with_name("triplet_margin_loss", [&] {
    return triplet_margin_with_distance_loss(anchor, positive, negative,
                                             {.distance_function = distance,
                                              .margin = options.margin,
                                              .swap = options.swap,
                                              .reduction = options.reduction});
  });
}

}  // namespace teff
