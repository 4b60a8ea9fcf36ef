// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "teff/nn/optim/optimizer_of.h"

namespace TEFF_EXPORT teff {
namespace optim {

enum class LineSearch { strong_wolfe };
std::string_view to_string(LineSearch search);
/// @throws ValueError for another text.
void from_string(std::string_view text, LineSearch& search);

struct LBFGSOptions {
  double lr = 1;                                  // with a line search that of its first try
  std::int64_t max_iter = 20;                     // iterations of one step(), at least 1
  std::optional<std::int64_t> max_eval = {};      // evaluations of one step(); default: max_iter * 5 / 4
  double tolerance_grad = 1e-7;                   // ends where no gradient is greater
  double tolerance_change = 1e-9;                 // ends where neither a parameter nor the loss changes by more
  std::int64_t history_size = 100;                // changes that are remembered: so many times the parameters in memory
  std::optional<LineSearch> line_search_fn = {};  // none: steps of lr
  static void fields(auto& self, auto&& field) {
    field("lr", self.lr);
    field("max_iter", self.max_iter);
    field("max_eval", self.max_eval);
    field("tolerance_grad", self.tolerance_grad);
    field("tolerance_change", self.tolerance_change);
    field("history_size", self.history_size);
    field("line_search_fn", self.line_search_fn);
  }
  void check(std::string_view owner) const;
};

/// Newton's method with an inverse Hessian that is made of the last changes of parameters and gradients (Nocedal and
/// Wright, Numerical Optimization, algorithms 7.4 and 3.5). For small problems and gradients of all data at once. It
/// has one group.
class LBFGS : public OptimizerOf<LBFGSOptions> {
 public:
  /// Removes the gradients, computes the loss and calls its backward(); gives the loss. Called several times a step.
  using Closure = std::function<Tensor()>;

  /// @throws ValueError for options that are not valid; and what Optimizer throws.
  explicit LBFGS(ParameterList parameters, const LBFGSOptions& options = {});

  /// Up to max_iter iterations. Returns the first loss. What the closure throws comes out of it; the parameters are
  /// then where it looked last.
  Tensor step(const Closure& closure);
  /// @throws Error: it needs a closure.
  void step() override;

 protected:
  void add_own_state(Dict& state) const override;
  Commit take_own_state(Dict& state) override;
  void on_new_group(std::size_t group) override;

 private:
  struct Pair {
    Tensor gradients, parameters;  // by how much they changed
    double inverse_product;        // 1 / of both
  };
  struct Memory {
    std::int64_t func_evals = 0, n_iter = 0;
    Tensor direction, gradient;  // of the last iteration, all parameters in one
    double step = 0, scale = 1, loss = 0;
    std::vector<Pair> pairs;
  };
  struct Point {
    double loss = 0;
    Tensor gradient;
  };

  Point evaluate(const Closure& closure) const;
  Tensor flat_gradient() const;
  void move(double step, const Tensor& direction) const;
  void remember(const Tensor& gradient);
  Tensor direction_at(const Tensor& gradient) const;
  std::int64_t search(const Closure& closure, double slope, Point& here);
  Tensor to_flat(const Value& value) const;

  Memory memory_;
};

}  // namespace optim
}  // namespace teff
