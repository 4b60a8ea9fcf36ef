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
#include <string_view>
#include <type_traits>
#include <vector>

#include "teff/engine/allocator.h"
#include "teff/engine/dtype.h"
#include "teff/engine/nested_values.h"
#include "teff/engine/shape.h"
#include "teff/engine/tensor_methods.h"

namespace TEFF_EXPORT teff {

class Generator;
class HookGuard;
class Tensor;
struct TensorImpl;
struct ValuesAndIndices;
namespace indexing {
class TensorIndex;
}

/// Tensors in a container that draws on the caching allocator.
using TensorList = std::vector<Tensor, CachingAllocator<Tensor>>;

/// What is known of a tensor before it is computed.
struct TensorType {
  Shape shape;
  DType dtype = DType::float32;
  friend bool operator==(const TensorType&, const TensorType&) = default;
};

namespace detail {
/// The type of <cstdint> like T, or T itself for what is no whole number; a long double is as good as a double.
template <class T>
constexpr auto of_same_size() {
  if constexpr (std::is_same_v<T, long double>) {
    return double{};
  } else if constexpr (!std::is_integral_v<T> || std::is_same_v<T, bool>) {
    return T{};
  } else {
    constexpr bool kSigned = std::is_signed_v<T>;
    if constexpr (sizeof(T) == 1) return std::conditional_t<kSigned, std::int8_t, std::uint8_t>{};
    if constexpr (sizeof(T) == 2) return std::conditional_t<kSigned, std::int16_t, std::uint16_t>{};
    if constexpr (sizeof(T) == 4) return std::conditional_t<kSigned, std::int32_t, std::uint32_t>{};
    if constexpr (sizeof(T) == 8) return std::conditional_t<kSigned, std::int64_t, std::uint64_t>{};
  }
}
template <class T>
using OfSameSize = decltype(of_same_size<T>());

/// Types as they appear in error texts: `float32 [2, 3]`.
std::string describe(const TensorType& type);
/// @throws TypeError for an undefined tensor; Error while a graph is captured, which would freeze its values.
void check_readable(const Tensor& tensor);
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
class Tensor : public TensorMethods {
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
  std::int64_t size(Integer dim) const;
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
  template <class T>
  T* data_ptr() const {
    return data<T>();
  }
  void* raw_data() const;
  /// A copy of all elements, converted as to() does. @throws Error while a graph is captured.
  template <class T>
  std::vector<T> tolist() const;
  /// The only element, converted to T as to() does: what does not fit a whole number saturates, NaN gives 0, and 0.5 is
  /// true. @throws ShapeError unless numel() is 1; Error while a graph is captured.
  template <class T>
  T item() const {
    static_assert(std::is_arithmetic_v<T> || std::is_same_v<T, Half> || std::is_same_v<T, BFloat16> ||
                      std::is_same_v<T, Float8E4M3FN> || std::is_same_v<T, Float8E5M2>,
                  "item: T must be a number");
    return static_cast<T>(item_as<detail::OfSameSize<T>>());
  }
  /// Whether both handles refer to the same tensor, and whether two tensors share their memory.
  bool is(const Tensor& other) const { return impl_ == other.impl_; }
  /// Equal for handles of the same tensor, as long as one of them lives; null if undefined.
  const void* id() const { return impl_.get(); }
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
  /// The next backward() leaves the gradient in grad() here, too, although this is no leaf: added to what is there. For
  /// a leaf it does nothing. @throws Error if no gradient comes here.
  void retain_grad() const;
  /// `hook` sees the gradient of this tensor when all of it has come, before it goes on or, for a leaf, into grad(),
  /// and may return another one of its type; an undefined tensor leaves it. Several are called in their order. It sees
  /// those of autograd::grad, too. What the hook computes is recorded only with create_graph. (HookGuard: hooks.h)
  /// @throws Error if no gradient comes here; TypeError for an empty function.
  HookGuard register_hook(std::function<Tensor(const Tensor& grad)> hook) const;
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
  const Tensor& fill_(double value) const;          // as full()
  template <WholeNumber T>
  const Tensor& fill_(T value) const {
    return fill_with(value);
  }
  const Tensor& zero_() const;
  const Tensor& uniform_(double from = 0, double to = 1) const;
  const Tensor& uniform_(double from, double to, Generator& generator) const;
  const Tensor& normal_(double mean = 0, double std = 1) const;
  const Tensor& normal_(double mean, double std, Generator& generator) const;
  const Tensor& bernoulli_(double p = 0.5) const;
  const Tensor& bernoulli_(double p, Generator& generator) const;

  // The functions of ops.h as methods; those of each element, of comparison and of reductions are in tensor_methods.h.
  Tensor operator[](Integer index) const;  // select(0, index)
  Tensor view(const Shape& shape) const;
  Tensor reshape(const Shape& shape) const;
  Tensor flatten(Integer start_dim = 0, Integer end_dim = -1) const;
  Tensor squeeze(std::optional<Integer> dim = {}) const;
  Tensor unsqueeze(Integer dim) const;
  Tensor transpose(Integer dim0, Integer dim1) const;
  Tensor t() const;  // transpose of a matrix
  Tensor permute(const IntList& dims) const;
  Tensor select(Integer dim, Integer index) const;
  Tensor slice(Integer dim, Integer start, std::optional<Integer> end = {}, Integer step = 1) const;
  std::vector<Tensor> split(Integer split_size, Integer dim = 0) const;
  std::vector<Tensor> split(std::span<const std::int64_t> sizes, Integer dim = 0) const;
  std::vector<Tensor> split(std::initializer_list<std::int64_t> sizes, Integer dim = 0) const {
    return split(std::span<const std::int64_t>(sizes.begin(), sizes.size()), dim);
  }
  std::vector<Tensor> chunk(Integer chunks, Integer dim = 0) const;
  std::vector<Tensor> unbind(Integer dim = 0) const;
  Tensor narrow(Integer dim, Integer start, Integer length) const;
  Tensor expand(const Shape& shape) const;
  Tensor expand_as(const Tensor& other) const;
  Tensor view_as(const Tensor& other) const;
  Tensor repeat(const IntList& counts) const;
  Tensor tile(const IntList& counts) const;
  Tensor repeat_interleave(Integer repeats, std::optional<Integer> dim = {}) const;
  Tensor flip(const IntList& dims) const;
  Tensor roll(const IntList& shifts, const IntList& dims = {}) const;
  Tensor movedim(const IntList& source, const IntList& destination) const;
  Tensor swapaxes(Integer dim0, Integer dim1) const;
  Tensor tril(Integer diagonal = 0) const;
  Tensor triu(Integer diagonal = 0) const;
  Tensor diagonal(Integer offset = 0, Integer dim1 = 0, Integer dim2 = 1) const;
  Tensor diag(Integer diagonal = 0) const;
  Tensor trace() const;
  Tensor unfold(Integer dim, Integer size, Integer step) const;

  // Those of indexing_ops.h and tensor_index.h.
  Tensor index(std::span<const indexing::TensorIndex> places) const;
  Tensor index(std::initializer_list<indexing::TensorIndex> places) const;
  Tensor index_select(Integer dim, const Tensor& index) const;
  Tensor gather(Integer dim, const Tensor& index) const;
  Tensor scatter(Integer dim, const Tensor& index, const Tensor& source) const;
  Tensor scatter(Integer dim, const Tensor& index, double value) const;
  Tensor scatter_add(Integer dim, const Tensor& index, const Tensor& source) const;
  Tensor index_add(Integer dim, const Tensor& index, const Tensor& source, double alpha = 1) const;
  Tensor take(const Tensor& index) const;
  Tensor masked_select(const Tensor& mask) const;
  Tensor nonzero() const;
  ValuesAndIndices sort(Integer dim = -1, bool descending = false) const;
  Tensor argsort(Integer dim = -1, bool descending = false) const;
  ValuesAndIndices topk(Integer k, Integer dim = -1, bool largest = true) const;
  ValuesAndIndices kthvalue(Integer k, Integer dim = -1, bool keepdim = false) const;
  Tensor multinomial(Integer n, bool replacement = false) const;
  /// Assignment to places: x[places] = values (broadcast, converted), or += them. In place.
  const Tensor& index_put_(std::span<const indexing::TensorIndex> places, const Tensor& values,
                           bool accumulate = false) const;
  const Tensor& index_put_(std::initializer_list<indexing::TensorIndex> places, const Tensor& values,
                           bool accumulate = false) const;
  const Tensor& index_put_(std::initializer_list<indexing::TensorIndex> places, double value) const;
  /// As scatter, in place; with reduce "add" or "multiply" sums or products.
  const Tensor& scatter_(Integer dim, const Tensor& index, const Tensor& source, std::string_view reduce = {}) const;
  const Tensor& scatter_(Integer dim, const Tensor& index, double value, std::string_view reduce = {}) const;
  const Tensor& scatter_add_(Integer dim, const Tensor& index, const Tensor& source) const;
  const Tensor& index_add_(Integer dim, const Tensor& index, const Tensor& source, double alpha = 1) const;
  const Tensor& index_copy_(Integer dim, const Tensor& index, const Tensor& source) const;
  const Tensor& index_fill_(Integer dim, const Tensor& index, double value) const;

  // Those of linalg_ops.h.
  Tensor mm(const Tensor& other) const;
  Tensor mv(const Tensor& other) const;
  Tensor bmm(const Tensor& other) const;
  Tensor dot(const Tensor& other) const;
  Tensor outer(const Tensor& other) const;

  /// For the engine's own files.
  explicit Tensor(std::shared_ptr<TensorImpl> impl) : impl_(std::move(impl)) {}
  const std::shared_ptr<TensorImpl>& impl() const { return impl_; }

 private:
  void check_dtype(DType expected) const;
  const Tensor& fill_with(Integer value) const;
  template <class T>
  TEFF_EXPORT T item_as() const;

  std::shared_ptr<TensorImpl> impl_;
};

/// In place, as add_ and its like: for all handles of a.
inline Tensor& operator+=(Tensor& a, const Tensor& b) { return a.add_(b), a; }
inline Tensor& operator-=(Tensor& a, const Tensor& b) { return a.sub_(b), a; }
inline Tensor& operator*=(Tensor& a, const Tensor& b) { return a.mul_(b), a; }
inline Tensor& operator/=(Tensor& a, const Tensor& b) { return a.div_(b), a; }
inline Tensor& operator+=(Tensor& a, Scalar b) { return a.add_(b), a; }
inline Tensor& operator-=(Tensor& a, Scalar b) { return a.sub_(b), a; }
inline Tensor& operator*=(Tensor& a, Scalar b) { return a.mul_(b), a; }
inline Tensor& operator/=(Tensor& a, Scalar b) { return a.div_(b), a; }

/// What max and min along a dimension give. `indices` is int64, of the shape of `values`.
struct ValuesAndIndices {
  Tensor values, indices;
};

template <class T>
std::vector<T> Tensor::tolist() const {
  detail::check_readable(*this);
  const Tensor converted = detach().to(dtype_of<T>);
  const std::span<T> values = converted.span<T>();
  return {values.begin(), values.end()};
}

/// Prints the values as Python does, with dtype where it is not the usual one; long tensors are abridged.
std::ostream& operator<<(std::ostream& out, const Tensor& tensor);

// Creation. All throw ShapeError for a negative size.

struct TensorOptions {
  DType dtype = DType::float32;
  bool requires_grad = false;
};

namespace detail {
Tensor full_of(const Shape& shape, Integer value, const TensorOptions& options);
template <class T>
concept ArangeNumber = WholeNumber<T> || std::floating_point<T>;
Tensor arange_of_whole(std::int64_t start, std::int64_t end, std::int64_t step, std::optional<DType> dtype);
Tensor arange_of_any(double start, double end, double step, std::optional<DType> dtype);
template <class Start, class End, class Step>
Tensor arange_of(Start start, End end, Step step, std::optional<DType> dtype) {
  if constexpr (WholeNumber<Start> && WholeNumber<End> && WholeNumber<Step>) {
    return arange_of_whole(Integer(start), Integer(end), Integer(step), dtype);
  } else {
    return arange_of_any(static_cast<double>(start), static_cast<double>(end), static_cast<double>(step), dtype);
  }
}
}  // namespace detail

/// Elements that are not initialised.
Tensor empty(const Shape& shape, const TensorOptions& options = {});
Tensor zeros(const Shape& shape, const TensorOptions& options = {});
Tensor ones(const Shape& shape, const TensorOptions& options = {});
/// All elements `value`; a fraction becomes a whole number towards zero where the dtype is one of whole numbers.
/// @throws ValueError for a number outside the range of such a dtype.
Tensor full(const Shape& shape, double value, const TensorOptions& options = {});
template <WholeNumber T>
Tensor full(const Shape& shape, T value, const TensorOptions& options = {}) {
  return detail::full_of(shape, value, options);
}
Tensor zeros_like(const Tensor& other);
Tensor ones_like(const Tensor& other);
/// The n x n identity.
Tensor eye(Integer n, const TensorOptions& options = {});
struct ArangeOptions {
  std::optional<DType> dtype = {};  // default: int64 if all arguments are whole numbers, or else float32
  bool requires_grad = false;
};
/// start, start + step, ... up to but without end: ceil((end - start) / step) values, computed in double, or exactly if
/// all arguments are whole numbers. @throws ValueError for a step of 0 or away from end, numbers that are not finite,
/// and fractions or numbers out of range for a dtype of whole numbers; TypeError for bool; ShapeError for more than
/// 2^48.
template <class Start, class End, class Step = int>
Tensor arange(Start start, End end, Step step = 1, const ArangeOptions& options = {}) {
  static_assert((detail::ArangeNumber<Start> && detail::ArangeNumber<End> && detail::ArangeNumber<Step>),
                "arange: start, end and step must be numbers");
  const Tensor result = detail::arange_of(start, end, step, options.dtype);
  if (options.requires_grad) result.requires_grad_();
  return result;
}
template <class End>
Tensor arange(End end) {
  return arange(0, end);
}

/// Copies of the given values as a tensor: tensor({1, 2}), tensor({{1, 2}, {3, 4}}) and so on, or of one dimension and
/// then of the given shape. As in Python, tensor({1.5, 2}) is float32, tensor({1, 2}) int64 and tensor({true}) bool,
/// whatever the C++ type; tensor<double>({1.5}), and vectors and spans, keep their C++ type.
/// @throws ShapeError if the shape holds more values or fewer, or rows differ in length; ValueError for a number out of
/// the range of a T of whole numbers.
template <class T>
TEFF_EXPORT Tensor tensor(std::span<const T> values, const Shape& shape);
template <class T>
Tensor tensor(std::span<const T> values) {
  return tensor<T>(values, Shape{values.size()});
}
template <class T>
Tensor tensor(const std::vector<T>& values, const Shape& shape) {
  return tensor<T>(std::span<const T>(values), shape);
}
template <class T>
Tensor tensor(const std::vector<T>& values) {
  return tensor<T>(std::span<const T>(values));
}
template <class T = detail::AnyNumber>
Tensor tensor(std::initializer_list<detail::NestedValues<std::type_identity_t<T>>> values) {
  const detail::NestedValues<T> list(values);
  return tensor<T>(list.values(), list.shape());
}
template <class T = detail::AnyNumber>
Tensor tensor(std::initializer_list<detail::NestedValues<std::type_identity_t<T>>> values, const Shape& shape) {
  return tensor<T>(detail::NestedValues<T>(values).values(), shape);
}
template <class T = void, detail::InitializerList List>
requires(std::is_void_v<T> || std::same_as<T, typename List::value_type>)  // a list that has a name
    Tensor tensor(const List& values) {
  return tensor(std::span<const typename List::value_type>(values));
}
template <class T = void, detail::InitializerList List>
requires(std::is_void_v<T> || std::same_as<T, typename List::value_type>)  //
    Tensor tensor(const List& values, const Shape& shape) {
  return tensor(std::span<const typename List::value_type>(values), shape);
}
template <>
TEFF_EXPORT Tensor tensor<detail::AnyNumber>(std::span<const detail::AnyNumber> values, const Shape& shape);
/// A tensor without dimensions: scalar_tensor(1.5) is float32, scalar_tensor<double>(1.5) float64.
template <class T = detail::AnyNumber>
Tensor scalar_tensor(const std::type_identity_t<T>& value) {
  return tensor<T>(std::span<const T>(&value, 1), Shape{});
}

// Random tensors, from the default generator unless one is given: the numbers that PyTorch draws on the CPU.

/// Uniform in [0, 1).
Tensor rand(const Shape& shape, const TensorOptions& options = {});
Tensor rand(const Shape& shape, Generator& generator, const TensorOptions& options = {});
/// Normal with mean 0 and standard deviation 1.
Tensor randn(const Shape& shape, const TensorOptions& options = {});
Tensor randn(const Shape& shape, Generator& generator, const TensorOptions& options = {});
/// Integers of [low, high), int64.
Tensor randint(Integer low, Integer high, const Shape& shape);
Tensor randint(Integer low, Integer high, const Shape& shape, Generator& generator);
/// The numbers 0 ... n-1 in random order, int64.
Tensor randperm(Integer n);
Tensor randperm(Integer n, Generator& generator);

}  // namespace teff
