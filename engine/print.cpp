// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "teff/engine/convert.h"
#include "teff/engine/graph.h"
#include "teff/engine/tensor.h"

namespace teff {
namespace {

// As torch.set_printoptions has them.
constexpr std::int64_t kThreshold = 1000;  // elements, from which on dimensions are abridged
constexpr std::int64_t kEdge = 3;          // elements shown at either end of an abridged dimension
constexpr std::size_t kLineWidth = 80;
constexpr std::string_view kPrefix = "tensor(";

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
      if (!std::isfinite(value) || value == 0) continue;
      whole_ = whole_ && value == std::ceil(value);
      greatest = std::max(greatest, std::fabs(value));
      least = std::min(least, std::fabs(value));
    }
    exponent_ = greatest / least > 1000 || greatest > 1e8 || (!whole_ && least < 1e-4);
    for (const double value : values) {
      if (std::isfinite(value) && value != 0) width_ = std::max(width_, (*this)(value).size());
    }
  }

  /// Of finite numbers; others may be longer, as in Python.
  std::size_t width() const { return width_; }

  std::string operator()(double value) const {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
    if (exponent_) return formatted("%.4e", value);
    return whole_ ? formatted("%.0f.", value) : formatted("%.4f", value);
  }

 private:
  bool whole_ = true;
  bool exponent_ = false;
  std::size_t width_ = 1;
};

class Printer {
 public:
  explicit Printer(const Tensor& tensor) : tensor_(tensor), abridged_(tensor.numel() > kThreshold) {
    collect(0, 0);
    write_texts();
    for (std::string& text : texts_) {
      if (text.size() < width_) text.insert(0, width_ - text.size(), ' ');
    }
  }

  std::string print() {
    next_ = 0;
    return tensor_.dim() == 0 ? texts_[0] : print(0);
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
    each(
        dim, [&](std::int64_t i) { collect(dim + 1, place * tensor_.shape()[dim] + i); }, [] {});
  }

  void write_texts() {
    visit_dtype(tensor_.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const T* data = tensor_.data<T>();
      if constexpr (std::is_same_v<T, bool>) {
        for (const std::int64_t place : places_) texts_.push_back(data[place] ? "True" : "False");
      } else if constexpr (std::is_integral_v<T>) {
        for (const std::int64_t place : places_) texts_.push_back(std::to_string(data[place]));
      } else {
        std::vector<double> values;
        for (const std::int64_t place : places_) values.push_back(convert<double>(data[place]));
        const Format format(values);
        for (const double value : values) texts_.push_back(format(value));
        width_ = format.width();
        return;
      }
      for (const std::string& text : texts_) width_ = std::max(width_, text.size());
    });
  }

  std::string print(std::size_t dim) {
    const std::size_t rank = tensor_.shape().size();
    if (dim + 1 == rank) return print_row(kPrefix.size() + dim);
    const std::string separator = ',' + std::string(rank - dim - 1, '\n') + std::string(kPrefix.size() + dim + 1, ' ');
    std::string text;
    each(
        dim, [&](std::int64_t) { text += (text.empty() ? "" : separator) + print(dim + 1); },
        [&] { text += separator + "..."; });
    return '[' + text + ']';
  }

  /// Numbers of the last dimension, in as many lines as they need.
  std::string print_row(std::size_t indent) {
    const std::size_t per_line = std::max<std::size_t>(1, (kLineWidth - indent) / (width_ + 2));
    std::string text;
    std::size_t count = 0;
    const auto add = [&](const std::string& element) {
      if (count > 0) text += count % per_line == 0 ? ",\n" + std::string(indent + 1, ' ') : ", ";
      text += element;
      ++count;
    };
    each(
        tensor_.shape().size() - 1, [&](std::int64_t) { add(texts_[next_++]); }, [&] { add(" ..."); });
    return '[' + text + ']';
  }

  const Tensor& tensor_;
  bool abridged_;
  std::vector<std::int64_t> places_;
  std::vector<std::string> texts_;
  std::size_t width_ = 1;
  std::size_t next_ = 0;
};

/// `(0, 3)`, as Python prints a tuple.
std::string tuple(const Shape& shape) {
  std::string text = to_string(shape);
  text.front() = '(';
  text.back() = ')';
  return text;
}

std::vector<std::string> suffixes_of(const Tensor& tensor) {
  std::vector<std::string> suffixes;
  const DType dtype = tensor.dtype();
  const bool empty = tensor.numel() == 0;
  if (empty && tensor.dim() != 1) suffixes.push_back("size=" + tuple(tensor.shape()));
  if (dtype != DType::float32 && (empty || (dtype != DType::int64 && dtype != DType::bool_))) {
    suffixes.push_back("dtype=torch." + std::string(to_string(dtype)));
  }
  if (tensor.requires_grad()) suffixes.push_back(tensor.is_leaf() ? "requires_grad=True" : "grad_fn=<recorded>");
  return suffixes;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Tensor& tensor) {
  if (!tensor.defined()) return out << "tensor(undefined)";
  std::string text(kPrefix);
  text += tensor.numel() == 0 ? "[]" : Printer(tensor).print();
  std::size_t line = text.size() - (text.find_last_of('\n') + 1) + 2;  // PyTorch counts two more
  for (const std::string& suffix : suffixes_of(tensor)) {
    const bool fits = line + suffix.size() + 2 <= kLineWidth;
    text += fits ? ", " : ",\n" + std::string(kPrefix.size(), ' ');
    text += suffix;
    line = fits ? line + suffix.size() + 2 : kPrefix.size() + suffix.size();
  }
  return out << text << ')';
}

}  // namespace teff
