// SPDX-License-Identifier: MIT
#include "teff/engine/graph_cost.h"

#include <locale>
#include <sstream>

#include "teff/engine/error.h"

namespace teff::detail {
namespace {

double bytes_of(const TensorType& type) {
  return static_cast<double>(numel(type.shape)) * static_cast<double>(size_of(type.dtype));
}

void check_below(const char* what, double cost, double limit, const char* option) {
  if (cost <= limit) return;
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text << "expected a model of which a run takes at most " << limit << ' ' << what << ", got at least " << cost
       << "; LoadOptions::" << option << " allows more";
  throw ResourceError(text.str());
}

}  // namespace

double elements_of(std::span<const TensorType> types) {
  double sum = 0;
  for (const TensorType& type : types) sum += static_cast<double>(numel(type.shape));
  return sum;
}

void CostMeter::add_values(const TensorType& type) { sum.bytes += bytes_of(type); }

void CostMeter::add_call(const Op& op, std::span<const TensorType> inputs, std::span<const TensorType> outputs) {
  if (op.is_view(inputs)) return;
  sum.work += op.flop(inputs, outputs[0]) + elements_of(inputs) + elements_of(outputs);
  for (const TensorType& output : outputs) sum.bytes += bytes_of(output);
}

void CostMeter::check() const {
  check_below("operations", sum.work, limit.work, "max_work");
  check_below("bytes", sum.bytes, limit.bytes, "max_bytes");
}

}  // namespace teff::detail
