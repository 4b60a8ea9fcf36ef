// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ostream>
#include <string>
#include <vector>

#include "teff/engine/convert.h"
#include "teff/engine/graph.h"
#include "teff/engine/tensor.h"

namespace teff {
namespace {

constexpr std::int64_t kThreshold = 1000;  // elements, from which on dimensions are abridged
constexpr std::int64_t kEdge = 3;          // elements shown at either end of an abridged dimension

std::string formatted(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

/// How all elements of a tensor are written: as whole numbers, with four decimals, or with an exponent.
class Format {
 public:
  explicit Format(const std::vector<double>& values) {
    double least = HUGE_VAL, greatest = 0;
    for (const double value : values) {
      if (!std::isfinite(value)) continue;
      whole_ = whole_ && value == std::nearbyint(value);
      const double magnitude = std::fabs(value);
      greatest = std::max(greatest, magnitude);
      if (magnitude != 0) least = std::min(least, magnitude);
    }
    const bool wide = greatest != 0 && greatest / least > 1000;
    exponent_ = greatest >= 1e8 || (!whole_ && (wide || least < 1e-4));
  }

  std::string operator()(double value) const {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
    if (exponent_) return formatted("%.4e", value);
    return whole_ ? formatted("%.0f.", value) : formatted("%.4f", value);
  }

 private:
  bool whole_ = true;
  bool exponent_ = false;
};

class Printer {
 public:
  explicit Printer(const Tensor& tensor) : tensor_(tensor), abridged_(tensor.numel() > kThreshold) {
    collect(0, 0);
    texts_ = texts();
    for (const std::string& text : texts_) width_ = std::max(width_, text.size());
  }

  std::string print() {
    next_ = 0;
    return print(0);
  }

 private:
  /// Calls visit(i) for the places of a dimension that are shown; gap() where some are left out.
  template <class Visit, class Gap>
  void each(std::size_t dim, Visit&& visit, Gap&& gap) const {
    const std::int64_t size = tensor_.shape()[dim];
    const bool cut = abridged_ && size > 2 * kEdge;
    for (std::int64_t i = 0; i < size; ++i) {
      if (cut && i == kEdge) {
        gap();
        i = size - kEdge;
      }
      visit(i);
    }
  }

  void collect(std::size_t dim, std::int64_t place) {
    if (dim == tensor_.shape().size()) {
      places_.push_back(place);
      return;
    }
    each(dim, [&](std::int64_t i) { collect(dim + 1, place * tensor_.shape()[dim] + i); }, [] {});
  }

  std::vector<std::string> texts() const {
    return visit_dtype(tensor_.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const T* data = tensor_.data<T>();
      std::vector<std::string> result;
      if constexpr (std::is_same_v<T, bool>) {
        for (const std::int64_t place : places_) result.push_back(data[place] ? "True" : "False");
      } else if constexpr (std::is_integral_v<T>) {
        for (const std::int64_t place : places_) result.push_back(std::to_string(data[place]));
      } else {
        std::vector<double> values;
        for (const std::int64_t place : places_) values.push_back(convert<double>(data[place]));
        const Format format(values);
        for (const double value : values) result.push_back(format(value));
      }
      return result;
    });
  }

  std::string print(std::size_t dim) {
    const std::size_t rank = tensor_.shape().size();
    if (dim == rank) {
      const std::string& text = texts_[next_++];
      return std::string(width_ - text.size(), ' ') + text;
    }
    const std::string separator =
        dim + 1 == rank ? ", " : "," + std::string(rank - dim - 1, '\n') + std::string(8 + dim, ' ');
    std::string line;
    each(dim, [&](std::int64_t) { line += (line.empty() ? "" : separator) + print(dim + 1); },
         [&] { line += separator + "..."; });
    return '[' + line + ']';
  }

  const Tensor& tensor_;
  bool abridged_;
  std::vector<std::int64_t> places_;
  std::vector<std::string> texts_;
  std::size_t width_ = 0;
  std::size_t next_ = 0;
};

}  // namespace

std::ostream& operator<<(std::ostream& out, const Tensor& tensor) {
  if (!tensor.defined()) return out << "tensor(undefined)";
  out << "tensor(" << Printer(tensor).print();
  const DType dtype = tensor.dtype();
  if (tensor.numel() == 0 && tensor.dim() != 1) out << ", size=" << tensor.shape();
  if (dtype != DType::float32 && dtype != DType::int64 && dtype != DType::bool_) out << ", dtype=" << to_string(dtype);
  if (tensor.requires_grad()) out << (tensor.is_leaf() ? ", requires_grad=True" : ", grad_fn=<recorded>");
  return out << ')';
}

}  // namespace teff
