// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "teff/engine/allocator.h"
#include "teff/engine/dtype.h"
#include "teff/engine/shape.h"

namespace TEFF_EXPORT teff {

class Generator;
class Tensor;
struct TensorImpl;
struct ValuesAndIndices;

/// Tensors in a container that draws on the caching allocator.
using TensorList = std::vector<Tensor, CachingAllocator<Tensor>>;

/// What is known of a tensor before it is computed.
struct TensorType {
  Shape shape;
  DType dtype = DType::float32;
  friend bool operator==(const TensorType&, const TensorType&) = default;
};

namespace detail {
/// Types as they appear in error texts: `float32 [2, 3]`.
std::string describe(const TensorType& type);
}  // namespace detail

struct BackwardOptions {
  bool retain_graph = false;  // keep what backward needs, so that it can be called again
};

/// An n-dimensional array of numbers: a cheap handle to shared data, as in Python. Copies refer to the same elements;
/// clone() copies them. Always contiguous and row-major. view, reshape, flatten, squeeze, unsqueeze, detach and
/// slices of dimension 0 share elements with their source; everything else makes new ones.
///
/// A default-constructed Tensor is undefined: it has no elements, and every use but defined() throws TypeError.
///
/// Reading from several threads at once is safe; writing needs the caller's care, as with any C++ object.
class Tensor {
 public:
  Tensor() = default;

  /// A tensor on memory that the caller owns, without a copy. `deleter(pointer)` is called when the last tensor on it
  /// goes; none if empty. The memory must be aligned for T.
  template <class T>
  static Tensor from_external(T* pointer, const Shape& shape, std::function<void(void*)> deleter = {}) {
    return from_external(static_cast<void*>(pointer), {shape, dtype_of<T>}, std::move(deleter));
  }
  static Tensor from_external(void* pointer, const TensorType& type, std::function<void(void*)> deleter = {});

  // What it is.
  bool defined() const { return impl_ != nullptr; }
  const Shape& shape() const;
  /// Size of one dimension; -1 is the last. @throws IndexError.
  std::int64_t size(std::int64_t dim) const;
  /// Number of dimensions.
  std::int64_t dim() const { return static_cast<std::int64_t>(shape().size()); }
  std::int64_t numel() const;
  DType dtype() const;
  TensorType type() const { return {shape(), dtype()}; }
  std::size_t nbytes() const { return static_cast<std::size_t>(numel()) * size_of(dtype()); }

  // Its elements.
  /// The first element. @throws TypeError if T is not the dtype's C++ type. Valid as long as a tensor shares it.
  template <class T>
  T* data() const {
    check_dtype(dtype_of<T>);
    return static_cast<T*>(raw_data());
  }
  template <class T>
  std::span<T> span() const {
    return {data<T>(), static_cast<std::size_t>(numel())};
  }
  void* raw_data() const;
  /// The only element, converted to T. @throws ShapeError unless numel() is 1; Error while a graph is captured.
  template <class T>
  T item() const {
    static_assert(std::is_arithmetic_v<T>, "item: T must be a number");
    if constexpr (std::is_floating_point_v<T>) {
      return static_cast<T>(item_as_double());
    } else {
      return static_cast<T>(item_as_int64());
    }
  }
  /// Whether both handles refer to the same tensor, and whether two tensors share their memory.
  bool is(const Tensor& other) const { return impl_ == other.impl_; }
  bool shares_memory_with(const Tensor& other) const;

  // Gradients.
  bool requires_grad() const;
  /// Asks for gradients. @throws TypeError unless the dtype is float32 or float64; Error if not a leaf.
  const Tensor& requires_grad_(bool requires_grad = true) const;
  /// Whether it was not computed by a recorded operation.
  bool is_leaf() const;
  /// The accumulated gradient; undefined if there is none.
  const Tensor& grad() const;
  /// Replaces the gradient; an undefined tensor removes it. @throws ShapeError, TypeError if it does not fit.
  void set_grad(const Tensor& grad) const;
  /// Adds to grad() of every leaf the derivative of this tensor, weighted with `gradient` (same shape; default 1,
  /// for a tensor of one element).
  void backward(const Tensor& gradient = {}, const BackwardOptions& options = {}) const;
  /// The same elements, not part of any recorded computation.
  Tensor detach() const;
  /// Takes over elements, shape and dtype of `other` for all handles of this tensor; a gradient is dropped.
  /// @throws Error if this is not a leaf.
  void set_data(const Tensor& other) const;

  // Conversions and copies.
  /// Converted elements; the tensor itself if it has that dtype. Float to integer truncates towards zero, and
  /// saturates at the range's ends, NaN gives 0; to bool gives x != 0.
  Tensor to(DType dtype) const;
  Tensor clone() const;

  // In place. Not recorded: @throws Error on a tensor whose gradient is being recorded (use NoGradGuard or detach()).
  // All return the tensor itself.
  const Tensor& copy_(const Tensor& source) const;  // broadcast and converted
  const Tensor& fill_(double value) const;
  const Tensor& zero_() const { return fill_(0); }
  const Tensor& add_(const Tensor& other, double alpha = 1) const;
  const Tensor& sub_(const Tensor& other, double alpha = 1) const { return add_(other, -alpha); }
  const Tensor& mul_(const Tensor& other) const;
  const Tensor& mul_(double factor) const;
  const Tensor& div_(const Tensor& other) const;
  const Tensor& uniform_(double from = 0, double to = 1) const;
  const Tensor& uniform_(double from, double to, Generator& generator) const;
  const Tensor& normal_(double mean = 0, double std = 1) const;
  const Tensor& normal_(double mean, double std, Generator& generator) const;
  const Tensor& bernoulli_(double p = 0.5) const;
  const Tensor& bernoulli_(double p, Generator& generator) const;

  // The functions of ops.h as methods.
  Tensor operator-() const;
  Tensor operator[](std::int64_t index) const;  // select(0, index)
  Tensor abs() const;
  Tensor exp() const;
  Tensor log() const;
  Tensor sqrt() const;
  Tensor pow(double exponent) const;
  Tensor clamp(std::optional<double> min, std::optional<double> max = {}) const;
  Tensor relu() const;
  Tensor sigmoid() const;
  Tensor tanh() const;
  Tensor softmax(std::int64_t dim) const;
  Tensor log_softmax(std::int64_t dim) const;
  Tensor sum(const IntList& dims = {}, bool keepdim = false) const;
  Tensor mean(const IntList& dims = {}, bool keepdim = false) const;
  Tensor amax(const IntList& dims = {}, bool keepdim = false) const;
  Tensor amin(const IntList& dims = {}, bool keepdim = false) const;
  Tensor max() const;
  Tensor min() const;
  ValuesAndIndices max(std::int64_t dim, bool keepdim = false) const;
  ValuesAndIndices min(std::int64_t dim, bool keepdim = false) const;
  Tensor argmax(std::optional<std::int64_t> dim = {}, bool keepdim = false) const;
  Tensor matmul(const Tensor& other) const;
  Tensor view(const Shape& shape) const;
  Tensor reshape(const Shape& shape) const;
  Tensor flatten(std::int64_t start_dim = 0, std::int64_t end_dim = -1) const;
  Tensor squeeze(std::optional<std::int64_t> dim = {}) const;
  Tensor unsqueeze(std::int64_t dim) const;
  Tensor transpose(std::int64_t dim0, std::int64_t dim1) const;
  Tensor t() const;  // transpose of a matrix
  Tensor permute(const IntList& dims) const;
  Tensor select(std::int64_t dim, std::int64_t index) const;
  Tensor slice(std::int64_t dim, std::int64_t start, std::optional<std::int64_t> end = {}, std::int64_t step = 1) const;
  std::vector<Tensor> split(std::int64_t split_size, std::int64_t dim = 0) const;
  std::vector<Tensor> split(std::span<const std::int64_t> sizes, std::int64_t dim = 0) const;
  std::vector<Tensor> split(std::initializer_list<std::int64_t> sizes, std::int64_t dim = 0) const {
    return split(std::span<const std::int64_t>(sizes.begin(), sizes.size()), dim);
  }
  std::vector<Tensor> chunk(std::int64_t chunks, std::int64_t dim = 0) const;

  /// For the engine's own files.
  explicit Tensor(std::shared_ptr<TensorImpl> impl) : impl_(std::move(impl)) {}
  const std::shared_ptr<TensorImpl>& impl() const { return impl_; }

 private:
  void check_dtype(DType expected) const;
  double item_as_double() const;
  std::int64_t item_as_int64() const;

  std::shared_ptr<TensorImpl> impl_;
};

/// What max and min along a dimension give. `indices` is int64, of the shape of `values`.
struct ValuesAndIndices {
  Tensor values, indices;
};

/// Prints the values as Python does, with dtype where it is not the usual one; long tensors are abridged.
std::ostream& operator<<(std::ostream& out, const Tensor& tensor);

// Creation. All throw ShapeError for a negative size.

struct TensorOptions {
  DType dtype = DType::float32;
  bool requires_grad = false;
};

/// Elements that are not initialised.
Tensor empty(const Shape& shape, const TensorOptions& options = {});
Tensor zeros(const Shape& shape, const TensorOptions& options = {});
Tensor ones(const Shape& shape, const TensorOptions& options = {});
Tensor full(const Shape& shape, double value, const TensorOptions& options = {});
Tensor zeros_like(const Tensor& other);
Tensor ones_like(const Tensor& other);
/// The n x n identity.
Tensor eye(std::int64_t n, const TensorOptions& options = {});
/// start, start + step, ... up to but without end. Default dtype int64, as in Python for whole numbers.
Tensor arange(std::int64_t end);
Tensor arange(double start, double end, double step = 1, const TensorOptions& options = {.dtype = DType::int64});

/// Copies of the given values, of their C++ type, as a tensor of one dimension or of the given shape. Unlike in Python
/// tensor({1.5}) is float64; tensor<float>({1.5}) is float32. @throws ShapeError if the shape holds more values or
/// fewer.
template <class T = float>
TEFF_EXPORT Tensor tensor(std::span<const T> values, const Shape& shape);
template <class T = float>
Tensor tensor(std::initializer_list<T> values) {
  return tensor<T>(std::span<const T>(values.begin(), values.size()), {static_cast<std::int64_t>(values.size())});
}
template <class T = float>
Tensor tensor(std::initializer_list<T> values, const Shape& shape) {
  return tensor<T>(std::span<const T>(values.begin(), values.size()), shape);
}
template <class T>
Tensor tensor(const std::vector<T>& values) {
  return tensor<T>(std::span<const T>(values), {static_cast<std::int64_t>(values.size())});
}
template <class T>
Tensor tensor(const std::vector<T>& values, const Shape& shape) {
  return tensor<T>(std::span<const T>(values), shape);
}
/// Rows of a matrix. @throws ShapeError if they differ in length.
template <class T = float>
TEFF_EXPORT Tensor tensor(std::initializer_list<std::initializer_list<T>> rows);
/// A tensor without dimensions.
template <class T>
requires std::is_arithmetic_v<T> Tensor scalar_tensor(T value) { return tensor<T>({value}, Shape{}); }

// Random tensors, from the default generator unless one is given: the numbers that PyTorch draws on the CPU.

/// Uniform in [0, 1).
Tensor rand(const Shape& shape, const TensorOptions& options = {});
Tensor rand(const Shape& shape, Generator& generator, const TensorOptions& options = {});
/// Normal with mean 0 and standard deviation 1.
Tensor randn(const Shape& shape, const TensorOptions& options = {});
Tensor randn(const Shape& shape, Generator& generator, const TensorOptions& options = {});
/// Integers of [low, high), int64.
Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape);
Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, Generator& generator);
/// The numbers 0 ... n-1 in random order, int64.
Tensor randperm(std::int64_t n);
Tensor randperm(std::int64_t n, Generator& generator);

}  // namespace teff
