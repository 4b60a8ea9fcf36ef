// SPDX-License-Identifier: MIT
#include "teff/serialize/script/script_builtins.h"

#include <algorithm>
#include <cmath>

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

const Tensor* tensor_at(const Arguments& a, std::size_t i) {
  return i < a.values.size() ? get_as<Tensor>(a.values[i]) : nullptr;
}

const std::string* text_at(const Arguments& a, std::size_t i) {
  return i < a.values.size() ? get_as<std::string>(a.values[i]) : nullptr;
}

// --- truth

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
  if (const double* real = get_as<double>(number)) return whole_number(*real);
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
    values.push_back(get_as<double>(number) ? whole_number(number_of(number)) : integer_of(number));
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
  for (const std::string_view known : {"NoneType", "bool", "int", "float", "str", "Tensor"}) {
    if (*type == known) return kind_of(a.values[0]) == (known == "NoneType" ? "None" : known);
  }
  throw UnsupportedError("expected a question for a plain type, got isinstance of " + escaped(*type, 100));
}

Result nothing(ScriptRun&, const Arguments&) { return ScriptValue(); }
Result yes(ScriptRun&, const Arguments&) { return true; }
Result no(ScriptRun&, const Arguments&) { return false; }
Result zero(ScriptRun&, const Arguments&) { return std::int64_t{0}; }
Result processor(ScriptRun&, const Arguments&) { return std::string("cpu"); }

Result raise(ScriptRun& run, const Arguments& a) {
  const std::string *text = text_at(a, 0), *type = text_at(a, 1);
  const std::string error = std::string(run.network().archive().is_pickled ? "" : "the code's own error: ") +
                            (text == nullptr ? "" : escaped(*text, 300));
  if (type != nullptr && type->ends_with("NotImplementedError")) throw UnsupportedError(error);
  throw FormatError(error);
}

constexpr ScriptBuiltin kBuiltins[] = {
    {"Bool", to_truth},
    {"Float", to_real},
    {"FloatImplicit", to_real},
    {"Int", to_whole},
    {"IntImplicit", to_whole},
    {"ScalarImplicit", to_number},
    {"__contains__", contains_item},
    {"__getitem__", item_at},
    {"__is__", same<true>},
    {"__isnot__", same<false>},
    {"__not__", logical_not},
    {"_set_item", set_item_at},
    {"add_", extend_list},
    {"all", all_in_list},
    {"annotate", second_value},
    {"any", any_in_list},
    {"append", append_item},
    {"as_tensor", to_tensor},
    {"bool", to_truth},
    {"clear", clear_list},
    {"copy", copy_list},
    {"count", count_items},
    {"device", processor},
    {"dict", new_dict},
    {"dim", rank},
    {"endswith", ends_with_text},
    {"eq", equal<true>},
    {"extend", extend_list},
    {"find", find_text},
    {"float", to_real},
    {"format", format_text},
    {"get", get_or},
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
    {"len", length},
    {"list", copy_list},
    {"list_with_default", list_with_default},
    {"lower", lower_text},
    {"ne", equal<false>},
    {"numel", element_count},
    {"ops.prim.NumToTensor", to_tensor},
    {"ops.prim.Print", nothing},
    {"ops.prim.RaiseException", raise},
    {"ops.prim.data", same_value},
    {"ops.prim.device", processor},
    {"ops.prim.dtype", dtype_code},
    {"ops.prim.is_cuda", no},
    {"ops.prim.is_mkldnn", no},
    {"ops.prim.is_nested", no},
    {"ops.prim.is_quantized", no},
    {"ops.prim.is_sparse", no},
    {"ops.prim.layout", zero},
    {"ops.prim.ndim", rank},
    {"ops.prim.requires_grad", requires_grad},
    {"ops.prim.type", same_value},
    {"ops.prim.unchecked_unwrap_optional", same_value},
    {"pop", pop_item},
    {"requires_grad_", same_value},
    {"reverse", reverse_list},
    {"size", size},
    {"slice", slice_list},
    {"startswith", starts_with_text},
    {"str", text_of_value},
    {"sum", sum_list},
    {"tensor", to_tensor},
    {"unchecked_cast", second_value},
    {"uninitialized", nothing},
    {"upper", upper_text},
    {"values", dict_values},
    {"warn", nothing},
};

static_assert(is_in_order(kBuiltins));

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
  for (const std::span<const ScriptBuiltin> table :
       {std::span<const ScriptBuiltin>(kBuiltins), script_number_builtins}) {
    const auto found =
        std::lower_bound(table.begin(), table.end(), name,
                         [](const ScriptBuiltin& builtin, std::string_view other) { return builtin.name < other; });
    if (found != table.end() && found->name == name) return &*found;
  }
  return nullptr;
}

}  // namespace teff::serialize
