// SPDX-License-Identifier: MIT
#pragma once

// Two networks on the same inputs, operation by operation.

#include <string>
#include <vector>

#include <teff/nn/graph/graph_module.h>

namespace teff::cli {

/// How far two values are apart, and how large they are.
struct Distance {
  double largest = 0;  // difference of two elements; infinity if only one of them is NaN, or the shapes differ
  double scale = 0;    // largest element of the first, without its sign
  bool is_within(double tolerance) const { return largest <= tolerance * scale || largest == 0; }
};

/// The first operation of both whose results depart, in the order of the first network.
struct Departure {
  std::string first, second;  // "conv2d conv1 float32 [1, 6, 28, 28]"
  Distance distance;
};

struct RunDifference {
  std::size_t operations = 0;         // of the first network
  std::size_t compared = 0;           // those to which one of the second corresponds
  std::vector<Departure> departures;  // the first alone; empty if there is none
  std::vector<Distance> outputs;
};

/// Runs both in evaluation mode. Operations correspond that have the same name, in the same order, as far as possible.
/// @throws Error for inputs that one of them does not take, or other numbers of outputs.
RunDifference compare_runs(nn::GraphModule& a, nn::GraphModule& b, const std::vector<Tensor>& inputs, double tolerance);

}  // namespace teff::cli
