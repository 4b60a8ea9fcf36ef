// SPDX-License-Identifier: MIT
#include "teff/serialize/cli/diff_run.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <teff/engine/autograd.h>
#include <teff/engine/error.h>

#include "teff/serialize/cli/text.h"

namespace teff::cli {
namespace {

/// A call of a graph, or a further result of one.
struct Operation {
  std::string name;    // of the node
  std::string target;  // what it calls
  std::string scope;
  Tensor value;
};

std::vector<Operation> run_all(nn::GraphModule& model, const std::vector<Tensor>& inputs) {
  std::vector<Operation> operations;
  std::vector<std::string> names;
  std::string target, scope;  // of the call that a result belongs to
  for (const GraphNode& node : model.graph().nodes) {
    if (node.kind == GraphNode::Kind::call) {
      target = node.target;
      scope = node.scope;
    } else if (node.kind != GraphNode::Kind::result) {
      continue;
    }
    names.push_back(node.name);
    operations.push_back({node.name, target, scope, {}});
  }
  if (names.empty()) return operations;
  nn::GraphModule all = model.features(names);
  const std::vector<Tensor> values = all(inputs);
  for (std::size_t i = 0; i < values.size(); ++i) operations[i].value = values[i];
  return operations;
}

Distance distance(const Tensor& a, const Tensor& b) {
  Distance result;
  if (a.shape() != b.shape()) {
    result.largest = std::numeric_limits<double>::infinity();
    return result;
  }
  const Tensor left = a.to(DType::float64), right = b.to(DType::float64);
  const std::span<const double> x = left.span<double>(), y = right.span<double>();
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::isfinite(x[i])) result.scale = std::max(result.scale, std::abs(x[i]));
    if (x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i]))) continue;
    const double apart = std::abs(x[i] - y[i]);
    result.largest = std::max(result.largest, std::isnan(apart) ? std::numeric_limits<double>::infinity() : apart);
  }
  return result;
}

bool correspond(const Operation& a, const Operation& b) {
  return a.target == b.target && a.value.shape() == b.value.shape();
}

/// The longest common subsequence of both, as pairs of places; of very long networks, as many as agree from the start.
std::vector<std::pair<std::size_t, std::size_t>> pairs_of(const std::vector<Operation>& a,
                                                          const std::vector<Operation>& b) {
  constexpr std::size_t kMostPairs = 25'000'000;
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  if (a.size() * b.size() > kMostPairs) {
    for (std::size_t i = 0; i < std::min(a.size(), b.size()) && correspond(a[i], b[i]); ++i) pairs.emplace_back(i, i);
    return pairs;
  }
  const std::size_t width = b.size() + 1;
  std::vector<std::uint32_t> longest((a.size() + 1) * width, 0);  // of what is left from a place of each on
  for (std::size_t i = a.size(); i-- > 0;) {
    for (std::size_t j = b.size(); j-- > 0;) {
      longest[i * width + j] = correspond(a[i], b[j])
                                   ? longest[(i + 1) * width + j + 1] + 1
                                   : std::max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
    }
  }
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (correspond(a[i], b[j])) {
      pairs.emplace_back(i++, j++);
    } else if (longest[(i + 1) * width + j] >= longest[i * width + j + 1]) {
      ++i;
    } else {
      ++j;
    }
  }
  return pairs;
}

std::string text_of(const Operation& operation) {
  return operation.target + (operation.scope.empty() ? "" : ' ' + operation.scope) + ' ' +
         type_text(operation.value.type());
}

}  // namespace

RunDifference compare_runs(nn::GraphModule& a, nn::GraphModule& b, const std::vector<Tensor>& inputs,
                           double tolerance) {
  const NoGradGuard no_grad;
  a.eval();
  b.eval();
  const std::vector<Operation> of_a = run_all(a, inputs), of_b = run_all(b, inputs);
  const auto pairs = pairs_of(of_a, of_b);
  RunDifference result;
  result.operations = of_a.size();
  result.compared = pairs.size();
  for (const auto& [i, j] : pairs) {
    const Distance apart = distance(of_a[i].value, of_b[j].value);
    if (apart.is_within(tolerance)) continue;
    result.departures.push_back({text_of(of_a[i]), text_of(of_b[j]), apart});
    break;
  }
  const std::vector<Tensor> outputs_a = a(inputs), outputs_b = b(inputs);
  if (outputs_a.size() != outputs_b.size()) {
    throw ValueError("expected two networks of as many outputs, got " + std::to_string(outputs_a.size()) + " and " +
                     std::to_string(outputs_b.size()));
  }
  for (std::size_t i = 0; i < outputs_a.size(); ++i) result.outputs.push_back(distance(outputs_a[i], outputs_b[i]));
  return result;
}

}  // namespace teff::cli
