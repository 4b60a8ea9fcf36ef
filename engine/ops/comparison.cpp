// SPDX-License-Identifier: MIT
#include <cmath>
#include <functional>

#include "teff/engine/convert.h"
#include "teff/engine/error_text.h"
#include "teff/engine/ops.h"
#include "teff/engine/ops/broadcast.h"
#include "teff/engine/ops/checks.h"
#include "teff/engine/ops/op_tables.h"
#include "teff/engine/tensor_impl.h"

namespace teff {
namespace {

// The six comparisons: how they are named, alone and with a number, and what they say of two values.

struct Equal : std::equal_to<> {
  static constexpr std::string_view kName = "eq", kScalarName = "eq_scalar";
};
struct NotEqual : std::not_equal_to<> {
  static constexpr std::string_view kName = "ne", kScalarName = "ne_scalar";
};
struct Less : std::less<> {
  static constexpr std::string_view kName = "lt", kScalarName = "lt_scalar";
};
struct LessEqual : std::less_equal<> {
  static constexpr std::string_view kName = "le", kScalarName = "le_scalar";
};
struct Greater : std::greater<> {
  static constexpr std::string_view kName = "gt", kScalarName = "gt_scalar";
};
struct GreaterEqual : std::greater_equal<> {
  static constexpr std::string_view kName = "ge", kScalarName = "ge_scalar";
};

void check_comparable(std::string_view op, std::span<const TensorType> inputs) {
  ops::check_one_dtype(op, inputs);
  const DType dtype = inputs[0].dtype;
  if (dtype < DType::float16) return;
  ops::fail<TypeError>(op, "a dtype that is compared (float32, float64, bool, uint8 or a signed integer), got ",
                       to_string(dtype), "; convert with to(DType::", is_floating_point(dtype) ? "float32" : "int64",
                       ")");
}

/// Calls function(T{}) for a dtype that can be compared.
template <class Function>
void visit_comparable(DType dtype, const Function& function) {
  visit_dtype(dtype, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (dtype_of<T> < DType::float16) function(zero);
  });
}

/// a op b, without gradient.
template <class Relation>
class Comparison : public OpWith<Comparison<Relation>> {
 public:
  static constexpr std::string_view kName = Relation::kName;
  using OpWith<Comparison>::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 2);
    check_comparable(kName, inputs);
    return {ops::broadcast_shape(kName, inputs[0].shape, inputs[1].shape), DType::bool_};
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor &a = context.inputs[0], &b = context.inputs[1];
    Tensor result = context.make_result();
    visit_comparable(a.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const T *a_data = a.data<T>(), *b_data = b.data<T>();
      bool* out = result.data<bool>();
      ops::Broadcast(result.shape(), a.shape(), b.shape()).for_each_run([=](const ops::BroadcastRun& r) {
        for (std::int64_t i = 0; i < r.count; ++i) {
          out[r.out_begin + i] = Relation()(a_data[r.a_begin + i * r.a_step], b_data[r.b_begin + i * r.b_step]);
        }
      });
    });
    return result;
  }

  TensorList backward(const BackwardContext&) const override { return TensorList(2); }
  bool differentiable() const override { return false; }
  bool saves_input(std::size_t) const override { return false; }
};

struct NumberOptions {
  double value = 0;
  static void fields(auto& self, auto&& field) { field("value", self.value); }
};

/// x op value, without gradient. The value is first rounded to the type of floating-point elements, as in
/// PyTorch.
template <class Relation>
class ScalarComparison : public OpWith<ScalarComparison<Relation>, NumberOptions> {
 public:
  static constexpr std::string_view kName = Relation::kScalarName;
  using OpWith<ScalarComparison, NumberOptions>::OpWith;

  TensorType output_type(std::span<const TensorType> inputs) const override {
    detail::check_arity(kName, inputs, 1);
    check_comparable(Relation::kName, inputs);
    return {inputs[0].shape, DType::bool_};
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor& x = context.inputs[0];
    Tensor result = context.make_result();
    const double value = this->options_.value;
    visit_comparable(x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      if constexpr (std::is_floating_point_v<T>) {
        compare<T>(x.span<T>(), static_cast<T>(value), result);
      } else if (std::trunc(value) == value && std::abs(value) < 0x1p63) {
        compare<std::int64_t>(x.span<T>(), static_cast<std::int64_t>(value), result);
      } else {
        compare<double>(x.span<T>(), value, result);
      }
    });
    return result;
  }

  TensorList backward(const BackwardContext&) const override { return TensorList(1); }
  bool differentiable() const override { return false; }
  bool saves_input(std::size_t) const override { return false; }

 private:
  template <class Common, class T>
  static void compare(std::span<T> x, Common value, const Tensor& result) {
    bool* out = result.data<bool>();
    for (const T element : x) *out++ = Relation()(static_cast<Common>(element), value);
  }
};

template <class Relation>
Tensor compare(const Tensor& a, const Tensor& b) {
  return apply(Comparison<Relation>(), {a, b});
}

template <class Relation>
Tensor compare(const Tensor& a, Scalar b) {
  if (!b.is_floating_point() && !b.fits_double() && a.defined() && a.dtype() == DType::int64) {
    return compare<Relation>(a, full({}, b.to_int(), {.dtype = DType::int64}));
  }
  return detail::with_name(Relation::kName, [&] { return apply(ScalarComparison<Relation>({b.to_double()}), {a}); });
}

}  // namespace

Tensor eq(const Tensor& a, const Tensor& b) { return compare<Equal>(a, b); }
Tensor ne(const Tensor& a, const Tensor& b) { return compare<NotEqual>(a, b); }
Tensor lt(const Tensor& a, const Tensor& b) { return compare<Less>(a, b); }
Tensor le(const Tensor& a, const Tensor& b) { return compare<LessEqual>(a, b); }
Tensor gt(const Tensor& a, const Tensor& b) { return compare<Greater>(a, b); }
Tensor ge(const Tensor& a, const Tensor& b) { return compare<GreaterEqual>(a, b); }

Tensor eq(const Tensor& a, Scalar b) { return compare<Equal>(a, b); }
Tensor ne(const Tensor& a, Scalar b) { return compare<NotEqual>(a, b); }
Tensor lt(const Tensor& a, Scalar b) { return compare<Less>(a, b); }
Tensor le(const Tensor& a, Scalar b) { return compare<LessEqual>(a, b); }
Tensor gt(const Tensor& a, Scalar b) { return compare<Greater>(a, b); }
Tensor ge(const Tensor& a, Scalar b) { return compare<GreaterEqual>(a, b); }

std::span<const OpEntry> ops::comparison_ops() {
  static const OpEntry entries[] = {
      op_entry<Comparison<Equal>>(),         op_entry<Comparison<NotEqual>>(),
      op_entry<Comparison<Less>>(),          op_entry<Comparison<LessEqual>>(),
      op_entry<Comparison<Greater>>(),       op_entry<Comparison<GreaterEqual>>(),
      op_entry<ScalarComparison<Equal>>(),   op_entry<ScalarComparison<NotEqual>>(),
      op_entry<ScalarComparison<Less>>(),    op_entry<ScalarComparison<LessEqual>>(),
      op_entry<ScalarComparison<Greater>>(), op_entry<ScalarComparison<GreaterEqual>>(),
  };
  return entries;
}

}  // namespace teff
