// SPDX-License-Identifier: MIT

// Builtins of numbers, as Python computes them.

#include <algorithm>
#include <cmath>

#include "teff/engine/error.h"
#include "teff/serialize/script/script_builtins.h"
#include "teff/serialize/script/script_lists.h"

namespace teff::serialize {
namespace {

using Arguments = ScriptArguments;
using Result = ScriptResult;

bool is_whole(const ScriptValue& value) { return get_as<bool>(value) || get_as<std::int64_t>(value); }

bool are_numbers(const Arguments& a, std::size_t count) {
  return a.values.size() == count && std::all_of(a.values.begin(), a.values.end(), is_number);
}
bool are_whole(const Arguments& a) { return std::all_of(a.values.begin(), a.values.end(), is_whole); }

[[noreturn]] void refuse_range() { throw FormatError("expected whole numbers within 64 bits, got more"); }

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
  return are_whole(a) ? integer_of(a.values[0]) : whole_number(function(number_of(a.values[0])));
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

template <class Compare>
Result compared(const Arguments& a, Compare compare) {
  if (a.values.size() != 2) return std::nullopt;
  if (are_numbers(a, 2)) {
    if (are_whole(a)) return compare(integer_of(a.values[0]), integer_of(a.values[1]));
    return compare(number_of(a.values[0]), number_of(a.values[1]));
  }
  const std::string *x = get_as<std::string>(a.values[0]), *y = get_as<std::string>(a.values[1]);
  return x != nullptr && y != nullptr ? Result(compare(*x, *y)) : std::nullopt;
}

template <int which>
Result bitwise(ScriptRun&, const Arguments& a) {
  if (!are_numbers(a, 2) || !are_whole(a)) return std::nullopt;
  const std::int64_t x = integer_of(a.values[0]), y = integer_of(a.values[1]);
  const std::int64_t result = which == 0 ? (x & y) : which == 1 ? (x | y) : (x ^ y);
  if (get_as<bool>(a.values[0]) != nullptr && get_as<bool>(a.values[1]) != nullptr) return result != 0;
  return result;
}

/// range(low, high, step)
Result range_length(ScriptRun&, const Arguments& a) {
  if (!are_numbers(a, 3)) return std::nullopt;
  const double low = number_of(a.values[0]), high = number_of(a.values[1]), step = number_of(a.values[2]);
  check_divisor(step);
  return whole_number(std::max(0.0, std::ceil((high - low) / step)));
}

Result derived_index(ScriptRun& run, const Arguments& a) {
  if (!are_numbers(a, 3)) return std::nullopt;
  const Result offset = arithmetic<Arithmetic::mul>(run, {{a.values[0], a.values[2]}, {}});
  return arithmetic<Arithmetic::add>(run, {{a.values[1], *offset}, {}});
}

double round_even(double x) { return std::nearbyint(x); }

constexpr ScriptBuiltin kNumberBuiltins[] = {
    {"__and__", bitwise<0>},
    {"__derive_index", derived_index},
    {"__or__", bitwise<1>},
    {"__range_length", range_length},
    {"__round_to_zero_floordiv", trunc_div},
    {"__xor__", bitwise<2>},
    {"abs", absolute},
    {"add", arithmetic<Arithmetic::add>},
    {"ceil", rounded<std::ceil>},
    {"div", div},
    {"exp", real_function<std::exp>},
    {"floor", rounded<std::floor>},
    {"floordiv", floor_div},
    {"ge",
     +[](ScriptRun&, const Arguments& a) { return compared(a, [](const auto& x, const auto& y) { return x >= y; }); }},
    {"gt",
     +[](ScriptRun&, const Arguments& a) { return compared(a, [](const auto& x, const auto& y) { return x > y; }); }},
    {"le",
     +[](ScriptRun&, const Arguments& a) { return compared(a, [](const auto& x, const auto& y) { return x <= y; }); }},
    {"log", real_function<std::log>},
    {"lt",
     +[](ScriptRun&, const Arguments& a) { return compared(a, [](const auto& x, const auto& y) { return x < y; }); }},
    {"mul", arithmetic<Arithmetic::mul>},
    {"neg", negative},
    {"ops.prim.abs", absolute},
    {"ops.prim.max", extremum<false>},
    {"ops.prim.min", extremum<true>},
    {"pow", power},
    {"remainder", remainder},
    {"round", rounded<round_even>},
    {"sqrt", real_function<std::sqrt>},
    {"sub", arithmetic<Arithmetic::sub>},
};
static_assert(is_in_order(kNumberBuiltins));

}  // namespace

const std::span<const ScriptBuiltin> script_number_builtins = kNumberBuiltins;

bool is_number(const ScriptValue& value) {
  return get_as<bool>(value) || get_as<std::int64_t>(value) || get_as<double>(value);
}

std::int64_t whole_number(double number) {
  if (!(std::abs(number) < 0x1p63)) refuse_range();
  return static_cast<std::int64_t>(number);
}

}  // namespace teff::serialize
