// SPDX-License-Identifier: MIT
#include "teff/engine/ops/reduction.h"

#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"

namespace teff {

void ops::check_plain_reduction(std::string_view op, Reduction reduction) {
  if (reduction == Reduction::batchmean) {
    fail<ValueError>(op, "reduction none, mean or sum, got batchmean, which is for kl_div");
  }
}

Tensor ops::reduced(const Tensor& losses, Reduction reduction) {
  switch (reduction) {
    case Reduction::none:
      break;
    case Reduction::mean:
      return mean(losses);
    case Reduction::sum:
    case Reduction::batchmean:
      return sum(losses);
  }
  return losses;
}

std::string_view to_string(Reduction reduction) {
  switch (reduction) {
    case Reduction::none:
      return "none";
    case Reduction::mean:
      return "mean";
    case Reduction::sum:
      return "sum";
    case Reduction::batchmean:
      return "batchmean";
  }
  return "";
}

void from_string(std::string_view name, Reduction& reduction) {
  for (const Reduction known : {Reduction::none, Reduction::mean, Reduction::sum, Reduction::batchmean}) {
    if (to_string(known) != name) continue;
    reduction = known;
    return;
  }
  ops::fail<ValueError>("reduction", "\"none\", \"mean\", \"sum\" or \"batchmean\", got \"", name, '"');
}

}  // namespace teff
