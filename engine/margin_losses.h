// SPDX-License-Identifier: MIT
#pragma once

// Part of ops.h: losses that ask for a distance. Targets y of two classes are 1 and -1, of the input's dtype.

#include <functional>

#include "teff/engine/losses.h"
#include "teff/engine/tensor.h"

namespace TEFF_EXPORT teff {

/// max(0, -y (x1 - x2) + margin): shapes are broadcast.
Tensor margin_ranking_loss(const Tensor& x1, const Tensor& x2, const Tensor& target, double margin = 0,
                           Reduction reduction = Reduction::mean);
/// y = 1: x; y = -1: max(0, margin - x).
Tensor hinge_embedding_loss(const Tensor& input, const Tensor& target, double margin = 1,
                            Reduction reduction = Reduction::mean);
/// y = 1: 1 - cos(x1, x2); y = -1: max(0, cos(x1, x2) - margin): x1 and x2 [N, D], target [N], or [D] and [].
Tensor cosine_embedding_loss(const Tensor& x1, const Tensor& x2, const Tensor& target, double margin = 0,
                             Reduction reduction = Reduction::mean);
/// log(1 + exp(-y x))
Tensor soft_margin_loss(const Tensor& input, const Tensor& target, Reduction reduction = Reduction::mean);

struct MultiMarginLossOptions {
  int p = 1;  // 1 or 2
  double margin = 1;
  Tensor weight = {};  // of the classes, [C]
  Reduction reduction = Reduction::mean;
};
/// sum over the other classes c of weight[y] * max(0, margin - x[y] + x[c])^p / C: input [N, C], int64 target [N], or
/// [C] and []. @throws IndexError for a target outside [0, C).
Tensor multi_margin_loss(const Tensor& input, const Tensor& target, const MultiMarginLossOptions& options = {});
/// sum over the classes y of the target and the others c of max(0, 1 - x[y] + x[c]) / C: input [N, C], int64 target
/// [N, C], of which what is before the first negative counts; or [C] and [C]. @throws IndexError for one of C or more.
Tensor multilabel_margin_loss(const Tensor& input, const Tensor& target, Reduction reduction = Reduction::mean);
/// The mean over the last dimension of binary_cross_entropy_with_logits: input and target [..., C]; weight [C] or
/// undefined.
Tensor multilabel_soft_margin_loss(const Tensor& input, const Tensor& target, const Tensor& weight = {},
                                   Reduction reduction = Reduction::mean);

struct TripletMarginLossOptions {
  double margin = 1;
  double p = 2;       // the norm of the distance
  double eps = 1e-6;  // added to each difference
  bool swap = false;  // the negative's distance is that to the nearer of anchor and positive
  Reduction reduction = Reduction::mean;
};
/// max(0, |anchor - positive| - |anchor - negative| + margin): [N, D] or [D].
Tensor triplet_margin_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative,
                           const TripletMarginLossOptions& options = {});

using DistanceFunction = std::function<Tensor(const Tensor&, const Tensor&)>;
struct TripletMarginWithDistanceLossOptions {
  DistanceFunction distance_function = {};  // default: pairwise_distance
  double margin = 1;
  bool swap = false;
  Reduction reduction = Reduction::mean;
};
/// The same with a distance of one's own.
Tensor triplet_margin_with_distance_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative,
                                         const TripletMarginWithDistanceLossOptions& options = {});

}  // namespace teff
