// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <vector>

#include "teff/engine/error_text.h"
#include "teff/engine/indexing_ops.h"
#include "teff/engine/linalg_ops.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/products.h"

// Each operand becomes a tensor whose dimensions have one label each. Two at a time are then one product of batches of
// matrices: labels that both have and that are needed later are the batch, those that both have and nobody needs are
// summed over, those of one are its rows or columns.

namespace teff {
namespace {

constexpr std::string_view kName = "einsum";

/// A letter, or, from kDots on, a dimension of "...": kDots is the last, kDots + 1 the one before it.
using Label = int;
using Labels = std::vector<Label>;
constexpr Label kDots = 256;

struct Operand {
  Tensor tensor;
  Labels labels;

  bool has(Label label) const { return std::count(labels.begin(), labels.end(), label) > 0; }
  std::int64_t dim_of(Label label) const { return std::find(labels.begin(), labels.end(), label) - labels.begin(); }
  std::int64_t size_of(Label label) const { return tensor.size(dim_of(label)); }
};

/// "ab...c" as labels, with -1 for "...".
Labels read_labels(std::string_view text) {
  Labels labels;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ' ') continue;
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
      labels.push_back(c);
    } else if (text.substr(i, 3) == "..." && std::count(labels.begin(), labels.end(), -1) == 0) {
      labels.push_back(-1);
      i += 2;
    } else {
      ops::fail<ValueError>(kName, "letters and at most one \"...\" for an operand, got \"", text, '"');
    }
  }
  return labels;
}

/// With "..." replaced by `dots` labels.
Labels with_dots(const Labels& labels, Label dots) {
  Labels result;
  for (const Label label : labels) {
    if (label >= 0) result.push_back(label);
    for (Label d = dots; label < 0 && d-- > 0;) result.push_back(kDots + d);
  }
  return result;
}

struct Equation {
  std::vector<Labels> inputs;
  std::optional<Labels> output;

  explicit Equation(std::string_view text) {
    const std::size_t arrow = text.find("->");
    if (arrow != std::string_view::npos) output = read_labels(text.substr(arrow + 2));
    for (std::string_view rest = text.substr(0, arrow);;) {
      const std::size_t comma = rest.find(',');
      inputs.push_back(read_labels(rest.substr(0, comma)));
      if (comma == std::string_view::npos) return;
      rest.remove_prefix(comma + 1);
    }
  }
};

/// Labels that come twice become one: a diagonal.
void take_diagonals(Operand& operand) {
  for (std::size_t i = 0; i < operand.labels.size(); ++i) {
    const auto second =
        std::find(operand.labels.begin() + static_cast<std::ptrdiff_t>(i) + 1, operand.labels.end(), operand.labels[i]);
    if (second == operand.labels.end()) continue;
    const auto first = static_cast<std::int64_t>(i), other = second - operand.labels.begin();
    if (operand.tensor.size(first) != operand.tensor.size(other)) {
      ops::fail<ShapeError>(kName, "equal sizes where a letter comes twice, got operand ", operand.tensor.shape());
    }
    operand.tensor = diagonal(operand.tensor, 0, first, other);
    const Label label = operand.labels[i];
    operand.labels.erase(second);
    operand.labels.erase(operand.labels.begin() + first);
    operand.labels.push_back(label);
    --i;  // another one stands there now
  }
}

class Contraction {
 public:
  Contraction(const Equation& equation, std::span<const Tensor> tensors) {
    if (equation.inputs.size() != tensors.size()) {
      ops::fail<ValueError>(kName, equation.inputs.size(), " operands, as many as the equation names, got ",
                            tensors.size());
    }
    Label dots = 0;
    for (std::size_t i = 0; i < tensors.size(); ++i) add(equation.inputs[i], tensors[i], dots);
    output_ = equation.output ? with_dots(*equation.output, dots) : implicit(equation, dots);
    for (const Label label : output_) {
      const bool is_known =
          std::any_of(operands_.begin(), operands_.end(), [=](const Operand& o) { return o.has(label); });
      if (!is_known || std::count(output_.begin(), output_.end(), label) > 1) {
        ops::fail<ValueError>(kName, "letters of the operands in the result, each once, got '",
                              static_cast<char>(label), '\'');
      }
    }
    check_sizes();
    for (Operand& operand : operands_) take_diagonals(operand);
  }

  Tensor run() {
    while (operands_.size() > 1) {
      const auto [a, b] = cheapest_pair();
      Operand second = std::move(operands_[b]);
      operands_.erase(operands_.begin() + static_cast<std::ptrdiff_t>(b));
      operands_[a] = multiply(operands_[a], second, needed_without(a));
    }
    Operand& last = operands_[0];
    sum_out(last, output_);
    return in_order(last, output_);
  }

 private:
  void add(const Labels& labels, const Tensor& tensor, Label& dots) {
    const bool has_dots = std::count(labels.begin(), labels.end(), -1) > 0;
    const std::int64_t named = static_cast<std::int64_t>(labels.size()) - (has_dots ? 1 : 0);
    if (named > tensor.dim() || (!has_dots && named < tensor.dim())) {
      ops::fail<ShapeError>(kName, has_dots ? "at least " : "", named, " dimensions of operand ", operands_.size(),
                            ", as its letters say, got ", tensor.shape());
    }
    const auto its_dots = static_cast<Label>(tensor.dim() - named);
    dots = std::max(dots, its_dots);
    operands_.push_back({tensor, with_dots(labels, its_dots)});
  }

  static Labels implicit(const Equation& equation, Label dots) {
    std::array<int, kDots> counts{};
    for (const Labels& labels : equation.inputs) {
      for (const Label label : labels) {
        if (label >= 0) ++counts[static_cast<std::size_t>(label)];
      }
    }
    Labels result = with_dots({-1}, dots);
    for (Label label = 0; label < kDots; ++label) {
      if (counts[static_cast<std::size_t>(label)] == 1) result.push_back(label);
    }
    return result;
  }

  /// Sizes of a label are equal, or 1.
  void check_sizes() const {
    std::vector<std::pair<Label, std::int64_t>> sizes;
    for (const Operand& operand : operands_) {
      for (std::size_t d = 0; d < operand.labels.size(); ++d) {
        const Label label = operand.labels[d];
        const std::int64_t size = operand.tensor.shape()[d];
        const auto known = std::find_if(sizes.begin(), sizes.end(), [=](const auto& s) { return s.first == label; });
        if (known == sizes.end()) {
          sizes.emplace_back(label, size);
        } else if (known->second == 1) {
          known->second = size;
        } else if (size != 1 && size != known->second) {
          ops::fail<ShapeError>(kName, "one size for ", label < kDots ? "a letter" : "dimensions of \"...\"",
                                " (or 1), got ", known->second, " and ", size, " in operand ", operand.tensor.shape());
        }
      }
    }
  }

  /// What the product of two would cost: the sizes of all their labels.
  static double cost(const Operand& a, const Operand& b) {
    double result = 1;
    for (const Label label : a.labels) {
      const std::int64_t size = b.has(label) ? std::max(a.size_of(label), b.size_of(label)) : a.size_of(label);
      result *= static_cast<double>(size);
    }
    for (const Label label : b.labels) result *= a.has(label) ? 1 : static_cast<double>(b.size_of(label));
    return result;
  }

  std::pair<std::size_t, std::size_t> cheapest_pair() const {
    std::pair<std::size_t, std::size_t> best{0, 1};
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < operands_.size(); ++i) {
      for (std::size_t j = i + 1; j < operands_.size(); ++j) {
        const double its = cost(operands_[i], operands_[j]);
        if (its < least) best = {i, j};
        least = std::min(least, its);
      }
    }
    return best;
  }

  /// The labels of the result and of all operands but one.
  Labels needed_without(std::size_t one) const {
    Labels labels = output_;
    for (std::size_t i = 0; i < operands_.size(); ++i) {
      if (i != one) labels.insert(labels.end(), operands_[i].labels.begin(), operands_[i].labels.end());
    }
    return labels;
  }

  static void drop(Operand& operand, Label label) {
    operand.tensor = squeeze(operand.tensor, operand.dim_of(label));
    operand.labels.erase(operand.labels.begin() + operand.dim_of(label));
  }

  /// Sums over the labels that nobody needs.
  static void sum_out(Operand& operand, const Labels& needed) {
    IntList dims;
    Labels left;
    for (std::size_t d = 0; d < operand.labels.size(); ++d) {
      const Label label = operand.labels[d];
      if (std::count(needed.begin(), needed.end(), label) > 0) {
        left.push_back(label);
      } else {
        dims.push_back(static_cast<std::int64_t>(d));
      }
    }
    if (!dims.empty()) operand.tensor = sum(operand.tensor, dims);
    operand.labels = left;
  }

  static Tensor in_order(const Operand& operand, const Labels& labels) {
    IntList order;
    for (const Label label : labels) order.push_back(operand.dim_of(label));
    return std::is_sorted(order.begin(), order.end()) ? operand.tensor : permute(operand.tensor, order);
  }

  /// [batch, rows, columns] of the labels; transposed if it lies in memory like that.
  struct Matrices {
    Tensor tensor;
    bool transposed = false;
  };
  static Matrices as_matrices(const Operand& operand, const Labels& batch, const Labels& rows, const Labels& columns) {
    const auto joined = [&](const Labels& labels) {
      std::int64_t size = 1;
      for (const Label label : labels) size *= operand.size_of(label);
      return size;
    };
    const auto in = [&](const Labels& first, const Labels& second) {
      Labels all = batch;
      all.insert(all.end(), first.begin(), first.end());
      all.insert(all.end(), second.begin(), second.end());
      return all;
    };
    const bool transposed = in(columns, rows) == operand.labels && in(rows, columns) != operand.labels;
    const Labels &first = transposed ? columns : rows, &second = transposed ? rows : columns;
    return {view(in_order(operand, in(first, second)), {joined(batch), joined(first), joined(second)}), transposed};
  }

  static Operand multiply(Operand a, Operand b, const Labels& needed) {
    for (const Label label : Labels(a.labels)) {  // what has size 1 in one of them is of the other alone
      if (!b.has(label) || a.size_of(label) == b.size_of(label)) continue;
      drop(a.size_of(label) == 1 ? a : b, label);
    }
    const auto is_needed = [&](Label label) { return std::count(needed.begin(), needed.end(), label) > 0; };
    const auto with_other = [&](const Operand& other) {
      Labels labels = needed;
      labels.insert(labels.end(), other.labels.begin(), other.labels.end());
      return labels;
    };
    sum_out(a, with_other(b));
    sum_out(b, with_other(a));
    Labels batch, summed, rows, columns;
    for (const Label label : a.labels) (b.has(label) ? is_needed(label) ? batch : summed : rows).push_back(label);
    for (const Label label : b.labels) {
      if (!a.has(label)) columns.push_back(label);
    }
    Shape shape;
    for (const Label label : batch) shape.push_back(a.size_of(label));
    for (const Label label : rows) shape.push_back(a.size_of(label));
    for (const Label label : columns) shape.push_back(b.size_of(label));
    const Matrices left = as_matrices(a, batch, rows, summed), right = as_matrices(b, batch, summed, columns);
    Operand result;
    result.labels = batch;
    result.labels.insert(result.labels.end(), rows.begin(), rows.end());
    result.labels.insert(result.labels.end(), columns.begin(), columns.end());
    result.tensor =
        view(summed.empty() ? elements(left, right)
                            : ops::batch_product(left.tensor, right.tensor, left.transposed, right.transposed),
             shape);
    return result;
  }

  /// Nothing to sum over: [batch, rows, 1] times [batch, 1, columns].
  static Tensor elements(const Matrices& left, const Matrices& right) {
    const std::int64_t batch = left.tensor.size(0);
    return mul(view(left.tensor, {batch, left.tensor.numel() / std::max<std::int64_t>(batch, 1), 1}),
               view(right.tensor, {batch, 1, right.tensor.numel() / std::max<std::int64_t>(batch, 1)}));
  }

  std::vector<Operand> operands_;
  Labels output_;
};

}  // namespace

Tensor einsum(std::string_view equation, std::span<const Tensor> operands) {
  for (const Tensor& operand : operands) {
    if (!operand.defined()) ops::fail<TypeError>(kName, "defined tensors, got an undefined one");
  }
  return detail::with_name(kName, [&] { return Contraction(Equation(equation), operands).run(); });
}

Tensor einsum(std::string_view equation, std::initializer_list<Tensor> operands) {
  return einsum(equation, std::span<const Tensor>(operands.begin(), operands.size()));
}

}  // namespace teff
