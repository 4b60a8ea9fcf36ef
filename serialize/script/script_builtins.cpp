// SPDX-License-Identifier: MIT
#include "teff/serialize/script/script_builtins.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "teff/engine/error.h"
#include "teff/engine/mode_state.h"
#include "teff/engine/ops.h"
#include "teff/serialize/io/place.h"
#include "teff/serialize/operators/aten.h"
#include "teff/serialize/script/script_lists.h"
#include "teff/serialize/script/script_network.h"

namespace teff::serialize {
namespace {

using Arguments = ScriptArguments;
using Result = std::optional<ScriptValue>;

bool is_number(const ScriptValue& value) {
  return get_as<bool>(value) || get_as<std::int64_t>(value) || get_as<double>(value);
}
bool is_whole(const ScriptValue& value) { return get_as<bool>(value) || get_as<std::int64_t>(value); }

bool are_numbers(const Arguments& a, std::size_t count) {
  return a.values.size() == count && std::all_of(a.values.begin(), a.values.end(), is_number);
}
bool are_whole(const Arguments& a) { return std::all_of(a.values.begin(), a.values.end(), is_whole); }

const Tensor* tensor_at(const Arguments& a, std::size_t i) {
  return i < a.values.size() ? get_as<Tensor>(a.values[i]) : nullptr;
}

const std::string* text_at(const Arguments& a, std::size_t i) {
  return i < a.values.size() ? get_as<std::string>(a.values[i]) : nullptr;
}

[[noreturn]] void refuse_range() { throw FormatError("expected whole numbers within 64 bits, got more"); }

// --- numbers

std::int64_t checked(double number) {
  if (!(std::abs(number) < 0x1p63)) refuse_range();
  return static_cast<std::int64_t>(number);
}

/// All sums and products of numbers below 2^31 fit; those of others are compared with the real ones first.
std::int64_t whole_of(std::int64_t a, std::int64_t b, std::uint64_t wrapped, double real) {
  constexpr std::int64_t kSmall = std::int64_t{1} << 31;
  const auto is_small = [](std::int64_t x) { return x > -kSmall && x < kSmall; };
  if (!(is_small(a) && is_small(b)) && !(std::abs(real) < 0x1p62)) refuse_range();
  return static_cast<std::int64_t>(wrapped);
}

enum class Arithmetic { add, sub, mul };

template <Arithmetic kind>
Result arithmetic(ScriptRun& run, const Arguments& a) {
  if (kind == Arithmetic::add) {
    if (Result joined = add_lists(run, a)) return joined;
  }
  if (kind == Arithmetic::mul) {
    if (Result repeated = repeat_list(run, a)) return repeated;
  }
  if (!are_numbers(a, 2)) return std::nullopt;
  const double x = number_of(a.values[0]), y = number_of(a.values[1]);
  const double real = kind == Arithmetic::add ? x + y : kind == Arithmetic::sub ? x - y : x * y;
  if (!are_whole(a)) return real;
  const std::int64_t p = integer_of(a.values[0]), q = integer_of(a.values[1]);
  const auto u = static_cast<std::uint64_t>(p), v = static_cast<std::uint64_t>(q);
  return whole_of(p, q, kind == Arithmetic::add ? u + v : kind == Arithmetic::sub ? u - v : u * v, real);
}

void check_divisor(double divisor) {
  if (divisor == 0) throw FormatError("expected a divisor, got 0");
}

Result div(ScriptRun&, const Arguments& a) {
  if (!are_numbers(a, 2)) return std::nullopt;
  check_divisor(number_of(a.values[1]));
  return number_of(a.values[0]) / number_of(a.values[1]);
}

Result floor_div(ScriptRun&, const Arguments& a) {
  if (!are_numbers(a, 2)) return std::nullopt;
  check_divisor(number_of(a.values[1]));
  if (!are_whole(a)) return std::floor(number_of(a.values[0]) / number_of(a.values[1]));
  const std::int64_t x = integer_of(a.values[0]), y = integer_of(a.values[1]);
  if (y == -1) return whole_of(x, y, 0 - static_cast<std::uint64_t>(x), -static_cast<double>(x));
  return x / y - (x % y != 0 && (x < 0) != (y < 0) ? 1 : 0);
}

Result trunc_div(ScriptRun&, const Arguments& a) {
  if (!are_numbers(a, 2) || !are_whole(a)) return std::nullopt;
  const std::int64_t x = integer_of(a.values[0]), y = integer_of(a.values[1]);
  check_divisor(static_cast<double>(y));
  return y == -1 ? whole_of(x, y, 0 - static_cast<std::uint64_t>(x), -static_cast<double>(x)) : x / y;
}

Result remainder(ScriptRun&, const Arguments& a) {
  if (!are_numbers(a, 2)) return std::nullopt;
  check_divisor(number_of(a.values[1]));
  if (!are_whole(a)) {
    const double x = number_of(a.values[0]), y = number_of(a.values[1]);
    return x - std::floor(x / y) * y;
  }
  const std::int64_t x = integer_of(a.values[0]), y = integer_of(a.values[1]);
  if (y == -1) return std::int64_t{0};
  const std::int64_t rest = x % y;
  return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
}

Result power(ScriptRun&, const Arguments& a) {
  if (!are_numbers(a, 2)) return std::nullopt;
  const double real = std::pow(number_of(a.values[0]), number_of(a.values[1]));
  if (!are_whole(a) || integer_of(a.values[1]) < 0) return real;
  if (!(std::abs(real) < 0x1p53)) refuse_range();
  return static_cast<std::int64_t>(real);
}

Result negative(ScriptRun&, const Arguments& a) {
  if (!are_numbers(a, 1)) return std::nullopt;
  if (!are_whole(a)) return -number_of(a.values[0]);
  const std::int64_t x = integer_of(a.values[0]);
  return whole_of(x, 0, 0 - static_cast<std::uint64_t>(x), -static_cast<double>(x));
}

Result absolute(ScriptRun& run, const Arguments& a) {
  if (!are_numbers(a, 1)) return std::nullopt;
  return number_of(a.values[0]) < 0 ? negative(run, a) : Result(a.values[0]);
}

template <double (*function)(double)>
Result real_function(ScriptRun&, const Arguments& a) {
  if (!are_numbers(a, 1)) return std::nullopt;
  return function(number_of(a.values[0]));
}

/// To a whole number, as Python's math.floor.
template <double (*function)(double)>
Result rounded(ScriptRun&, const Arguments& a) {
  if (!are_numbers(a, 1)) return std::nullopt;
  return are_whole(a) ? integer_of(a.values[0]) : checked(function(number_of(a.values[0])));
}

template <bool least>
Result extremum(ScriptRun&, const Arguments& a) {
  ScriptValues values = a.values;
  if (values.size() == 1 && as_list(values[0]) != nullptr) values = as_list(values[0])->items;
  if (values.empty() || !std::all_of(values.begin(), values.end(), is_number)) return std::nullopt;
  const auto is_less = [](const ScriptValue& x, const ScriptValue& y) { return number_of(x) < number_of(y); };
  return least ? *std::min_element(values.begin(), values.end(), is_less)
               : *std::max_element(values.begin(), values.end(), is_less);
}

// --- truth

template <class Compare>
Result compared(const Arguments& a, Compare compare) {
  if (a.values.size() != 2) return std::nullopt;
  if (are_numbers(a, 2)) {
    if (are_whole(a)) return compare(integer_of(a.values[0]), integer_of(a.values[1]));
    return compare(number_of(a.values[0]), number_of(a.values[1]));
  }
  const std::string *x = text_at(a, 0), *y = text_at(a, 1);
  return x != nullptr && y != nullptr ? Result(compare(*x, *y)) : std::nullopt;
}

template <bool expected>
Result equal(ScriptRun& run, const Arguments& a) {
  if (a.values.size() != 2 || tensor_at(a, 0) != nullptr || tensor_at(a, 1) != nullptr) return std::nullopt;
  return are_equal(run, a.values[0], a.values[1]) == expected;
}

template <bool expected>
Result same(ScriptRun&, const Arguments& a) {
  if (a.values.size() != 2) return std::nullopt;
  const Tensor *x = tensor_at(a, 0), *y = tensor_at(a, 1);
  bool is_same = false;
  if (x != nullptr && y != nullptr) {
    is_same = x->is(*y);
  } else if (a.values[0].index() == a.values[1].index()) {
    is_same = is_none(a.values[0]) || (is_number(a.values[0]) && number_of(a.values[0]) == number_of(a.values[1])) ||
              (as_list(a.values[0]) != nullptr && as_list(a.values[0]) == as_list(a.values[1]));
  }
  return is_same == expected;
}

Result logical_not(ScriptRun& run, const Arguments& a) {
  return a.values.size() == 1 ? Result(!truth_of(run, a.values[0])) : std::nullopt;
}

template <int which>
Result bitwise(ScriptRun&, const Arguments& a) {
  if (!are_numbers(a, 2) || !are_whole(a)) return std::nullopt;
  const std::int64_t x = integer_of(a.values[0]), y = integer_of(a.values[1]);
  const std::int64_t result = which == 0 ? (x & y) : which == 1 ? (x | y) : (x ^ y);
  if (get_as<bool>(a.values[0]) != nullptr && get_as<bool>(a.values[1]) != nullptr) return result != 0;
  return result;
}

// --- what is known of tensors

/// The one number in a tensor that is known.
ScriptValue number_in(ScriptRun& run, const Tensor& tensor) {
  Tensor now = run.current(tensor);
  if (!is_constant(now)) now = run.network().values_of(now);
  if (!now.defined()) {
    throw UnsupportedError(
        "expected a value that is known before the network runs, got one that is computed from the values of its "
        "inputs");
  }
  if (now.numel() != 1) throw FormatError("expected one number, got a tensor of " + std::to_string(now.numel()));
  if (now.dtype() == DType::bool_) return integers_of(now)[0] != 0;
  if (is_floating_point(now.dtype())) return numbers_of(now)[0];
  return integers_of(now)[0];
}

/// Of a tensor the number in it.
ScriptValue plain(ScriptRun& run, const ScriptValue& value) {
  const Tensor* tensor = get_as<Tensor>(value);
  return tensor == nullptr ? value : number_in(run, *tensor);
}

Result to_whole(ScriptRun& run, const Arguments& a) {
  if (a.values.size() != 1) return std::nullopt;
  const ScriptValue number = plain(run, a.values[0]);
  if (const double* real = get_as<double>(number)) return checked(*real);
  return is_number(number) ? Result(integer_of(number)) : std::nullopt;
}

Result to_real(ScriptRun& run, const Arguments& a) {
  if (a.values.size() != 1) return std::nullopt;
  if (const std::string* text = text_at(a, 0)) {
    if (*text == "inf" || *text == "-inf") return (*text)[0] == '-' ? -HUGE_VAL : HUGE_VAL;
    return std::nullopt;
  }
  const ScriptValue number = plain(run, a.values[0]);
  return is_number(number) ? Result(number_of(number)) : std::nullopt;
}

Result to_truth(ScriptRun& run, const Arguments& a) {
  return a.values.size() == 1 ? Result(truth_of(run, a.values[0])) : std::nullopt;
}

Result to_number(ScriptRun& run, const Arguments& a) {
  if (tensor_at(a, 0) == nullptr || a.values.size() != 1) return std::nullopt;
  return number_in(run, *tensor_at(a, 0));
}

DType dtype_for(const ScriptValue& value) {
  return get_as<double>(value) ? DType::float32 : get_as<bool>(value) ? DType::bool_ : DType::int64;
}

/// NumToTensor, and torch.tensor of a number or of numbers in lists.
Result to_tensor(ScriptRun& run, const Arguments& a) {
  if (a.values.empty() || a.places() != 1) return std::nullopt;
  std::optional<DType> dtype;
  for (std::size_t i = 1; i < a.values.size(); ++i) {
    const std::string_view name = a.names[i - 1];
    if (name == "dtype" && !is_none(a.values[i])) dtype = aten_dtype(integer_of(a.values[i]));
  }
  Shape shape;
  std::vector<ScriptValue> numbers;
  collect_numbers(run, a.values[0], shape, numbers);
  const detail::NotCapturing now;
  bool has_real = false, all_bools = !numbers.empty();
  for (const ScriptValue& number : numbers) {
    has_real = has_real || get_as<double>(number) != nullptr;
    all_bools = all_bools && get_as<bool>(number) != nullptr;
  }
  const DType type = dtype.value_or(numbers.empty() || has_real ? DType::float32
                                    : all_bools                 ? DType::bool_
                                                                : dtype_for(numbers[0]));
  if (is_floating_point(type)) {
    std::vector<double> values;
    for (const ScriptValue& number : numbers) values.push_back(number_of(number));
    return tensor(values).to(type).view(shape);
  }
  std::vector<std::int64_t> values;
  for (const ScriptValue& number : numbers) {
    values.push_back(get_as<double>(number) ? checked(number_of(number)) : integer_of(number));
  }
  return tensor(values).to(type).view(shape);
}

std::int64_t axis_of(const ScriptValue& dim, const Tensor& tensor) {
  const std::int64_t rank = tensor.dim(), place = integer_of(dim);
  if (place < -rank || place >= rank) {
    throw FormatError("expected a dimension of a tensor of " + std::to_string(rank) + ", got dimension " +
                      std::to_string(place));
  }
  return place < 0 ? place + rank : place;
}

Result size(ScriptRun& run, const Arguments& a) {
  const Tensor* x = tensor_at(a, 0);
  if (x == nullptr || a.values.size() > 2) return std::nullopt;
  const Tensor now = run.current(*x);
  if (a.values.size() == 2 && !is_none(a.values[1])) return now.size(axis_of(a.values[1], now));
  ScriptValues sizes(now.shape().begin(), now.shape().end());
  return run.make_list(std::move(sizes));
}

Result rank(ScriptRun& run, const Arguments& a) {
  return tensor_at(a, 0) != nullptr ? Result(run.current(*tensor_at(a, 0)).dim()) : std::nullopt;
}

Result element_count(ScriptRun& run, const Arguments& a) {
  return tensor_at(a, 0) != nullptr ? Result(run.current(*tensor_at(a, 0)).numel()) : std::nullopt;
}

Result length(ScriptRun& run, const Arguments& a) {
  if (a.values.size() != 1) return std::nullopt;
  if (const std::string* text = text_at(a, 0)) return static_cast<std::int64_t>(text->size());
  if (const Tensor* x = tensor_at(a, 0)) {
    const Tensor now = run.current(*x);
    return now.size(axis_of(std::int64_t{0}, now));
  }
  return list_length(a);
}

Result dtype_code(ScriptRun& run, const Arguments& a) {
  return tensor_at(a, 0) != nullptr ? Result(aten_code(run.current(*tensor_at(a, 0)).dtype())) : std::nullopt;
}

Result is_real(ScriptRun& run, const Arguments& a) {
  if (tensor_at(a, 0) == nullptr) return std::nullopt;
  return is_floating_point(run.current(*tensor_at(a, 0)).dtype());
}

Result requires_grad(ScriptRun& run, const Arguments& a) {
  return tensor_at(a, 0) != nullptr ? Result(run.network().is_parameter(*tensor_at(a, 0))) : std::nullopt;
}

Result same_value(ScriptRun&, const Arguments& a) { return a.values.empty() ? std::nullopt : Result(a.values[0]); }

/// annotate(T, x): the type is a text.
Result second_value(ScriptRun&, const Arguments& a) {
  return a.values.size() == 2 ? Result(a.values[1]) : std::nullopt;
}

/// isinstance(x, T): the type is a text.
Result is_instance(ScriptRun&, const Arguments& a) {
  const std::string* type = text_at(a, 1);
  if (type == nullptr || a.values.size() != 2) return std::nullopt;
  if (as_list(a.values[0]) == nullptr) {
    for (const std::string_view known : {"NoneType", "bool", "int", "float", "str", "Tensor"}) {
      if (*type == known) return kind_of(a.values[0]) == (known == "NoneType" ? "None" : known);
    }
  }
  throw UnsupportedError("expected a question for a plain type, got isinstance of " + escaped(*type, 100));
}

Result nothing(ScriptRun&, const Arguments&) { return ScriptValue(); }
Result yes(ScriptRun&, const Arguments&) { return true; }
Result no(ScriptRun&, const Arguments&) { return false; }
Result zero(ScriptRun&, const Arguments&) { return std::int64_t{0}; }
Result processor(ScriptRun&, const Arguments&) { return std::string("cpu"); }

Result raise(ScriptRun&, const Arguments& a) {
  const std::string* text = text_at(a, 0);
  throw FormatError("the code's own error: " + (text == nullptr ? "" : escaped(*text, 300)));
}

// --- ranges

/// range(low, high, step)
Result range_length(ScriptRun&, const Arguments& a) {
  if (!are_numbers(a, 3)) return std::nullopt;
  const double low = number_of(a.values[0]), high = number_of(a.values[1]), step = number_of(a.values[2]);
  check_divisor(step);
  return checked(std::max(0.0, std::ceil((high - low) / step)));
}

Result derived_index(ScriptRun& run, const Arguments& a) {
  if (!are_numbers(a, 3)) return std::nullopt;
  const Result offset = arithmetic<Arithmetic::mul>(run, {{a.values[0], a.values[2]}, {}});
  return arithmetic<Arithmetic::add>(run, {{a.values[1], *offset}, {}});
}

double round_even(double x) { return std::nearbyint(x); }

constexpr ScriptBuiltin kBuiltins[] = {
    {"Bool", to_truth},
    {"Float", to_real},
    {"FloatImplicit", to_real},
    {"Int", to_whole},
    {"IntImplicit", to_whole},
    {"ScalarImplicit", to_number},
    {"__and__", bitwise<0>},
    {"__contains__", contains_item},
    {"__derive_index", derived_index},
    {"__getitem__", item_at},
    {"__is__", same<true>},
    {"__isnot__", same<false>},
    {"__not__", logical_not},
    {"__or__", bitwise<1>},
    {"__range_length", range_length},
    {"__round_to_zero_floordiv", trunc_div},
    {"__xor__", bitwise<2>},
    {"_set_item", set_item_at},
    {"abs", absolute},
    {"add", arithmetic<Arithmetic::add>},
    {"add_", extend_list},
    {"all", all_in_list},
    {"annotate", second_value},
    {"any", any_in_list},
    {"append", append_item},
    {"as_tensor", to_tensor},
    {"bool", to_truth},
    {"ceil", rounded<std::ceil>},
    {"clear", clear_list},
    {"copy", copy_list},
    {"count", count_items},
    {"device", processor},
    {"dict", new_dict},
    {"dim", rank},
    {"div", div},
    {"endswith", ends_with_text},
    {"eq", equal<true>},
    {"exp", real_function<std::exp>},
    {"extend", extend_list},
    {"find", find_text},
    {"float", to_real},
    {"floor", rounded<std::floor>},
    {"floordiv", floor_div},
    {"format", format_text},
    {"ge",
     +[](ScriptRun&, const Arguments& a) { return compared(a, [](const auto& x, const auto& y) { return x >= y; }); }},
    {"get", get_or},
    {"gt",
     +[](ScriptRun&, const Arguments& a) { return compared(a, [](const auto& x, const auto& y) { return x > y; }); }},
    {"index", index_of},
    {"insert", insert_item},
    {"int", to_whole},
    {"is_autocast_enabled", no},
    {"is_complex", no},
    {"is_floating_point", is_real},
    {"is_grad_enabled", yes},
    {"is_scripting", yes},
    {"isinstance", is_instance},
    {"item", to_number},
    {"items", dict_items},
    {"keys", dict_keys},
    {"le",
     +[](ScriptRun&, const Arguments& a) { return compared(a, [](const auto& x, const auto& y) { return x <= y; }); }},
    {"len", length},
    {"list", copy_list},
    {"list_with_default", list_with_default},
    {"log", real_function<std::log>},
    {"lower", lower_text},
    {"lt",
     +[](ScriptRun&, const Arguments& a) { return compared(a, [](const auto& x, const auto& y) { return x < y; }); }},
    {"mul", arithmetic<Arithmetic::mul>},
    {"ne", equal<false>},
    {"neg", negative},
    {"numel", element_count},
    {"ops.prim.NumToTensor", to_tensor},
    {"ops.prim.Print", nothing},
    {"ops.prim.RaiseException", raise},
    {"ops.prim.abs", absolute},
    {"ops.prim.data", same_value},
    {"ops.prim.device", processor},
    {"ops.prim.dtype", dtype_code},
    {"ops.prim.is_cuda", no},
    {"ops.prim.is_mkldnn", no},
    {"ops.prim.is_nested", no},
    {"ops.prim.is_quantized", no},
    {"ops.prim.is_sparse", no},
    {"ops.prim.layout", zero},
    {"ops.prim.max", extremum<false>},
    {"ops.prim.min", extremum<true>},
    {"ops.prim.ndim", rank},
    {"ops.prim.requires_grad", requires_grad},
    {"ops.prim.type", same_value},
    {"ops.prim.unchecked_unwrap_optional", same_value},
    {"pop", pop_item},
    {"pow", power},
    {"remainder", remainder},
    {"requires_grad_", same_value},
    {"reverse", reverse_list},
    {"round", rounded<round_even>},
    {"size", size},
    {"slice", slice_list},
    {"sqrt", real_function<std::sqrt>},
    {"startswith", starts_with_text},
    {"str", text_of_value},
    {"sub", arithmetic<Arithmetic::sub>},
    {"sum", sum_list},
    {"tensor", to_tensor},
    {"unchecked_cast", second_value},
    {"uninitialized", nothing},
    {"upper", upper_text},
    {"values", dict_values},
    {"warn", nothing},
};

constexpr bool is_sorted_by_name() {
  for (std::size_t i = 1; i < std::size(kBuiltins); ++i) {
    if (kBuiltins[i].name <= kBuiltins[i - 1].name) return false;
  }
  return true;
}
static_assert(is_sorted_by_name());

}  // namespace

bool truth_of(ScriptRun& run, const ScriptValue& value) {
  if (const bool* truth = get_as<bool>(value)) return *truth;
  if (get_as<Tensor>(value) != nullptr) return truth_of(run, plain(run, value));
  if (is_number(value)) return number_of(value) != 0;
  if (const std::string* text = get_as<std::string>(value)) return !text->empty();
  if (const ScriptList* list = as_list(value)) return !list->items.empty();
  if (is_none(value)) return false;
  throw FormatError("expected a bool, got " + std::string(kind_of(value)));
}

const ScriptBuiltin* find_script_builtin(std::string_view name) {
  const auto found =
      std::lower_bound(std::begin(kBuiltins), std::end(kBuiltins), name,
                       [](const ScriptBuiltin& builtin, std::string_view other) { return builtin.name < other; });
  return found != std::end(kBuiltins) && found->name == name ? found : nullptr;
}

}  // namespace teff::serialize
