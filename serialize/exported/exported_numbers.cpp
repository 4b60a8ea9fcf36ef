// SPDX-License-Identifier: MIT
#include "teff/serialize/exported/exported_numbers.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "teff/engine/error.h"

namespace teff::serialize {
namespace {

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();

[[noreturn]] void refuse_numbers(const char* what) {
  throw FormatError("expected " + std::string(what) + ", got something else");
}

bool is_number(const Value& value) { return value.is_bool() || value.is_int() || value.is_float(); }
bool is_whole(const Value& value) { return value.is_bool() || value.is_int(); }
std::int64_t whole(const Value& value) { return value.is_bool() ? (value.as_bool() ? 1 : 0) : value.as_int(); }
double real(const Value& value) { return is_whole(value) ? static_cast<double>(whole(value)) : value.as_float(); }
bool truth(const Value& value) { return is_whole(value) ? whole(value) != 0 : value.as_float() != 0; }

/// A float as a whole number.
Value to_whole(double number) {
  if (!(number > -9e18 && number < 9e18)) refuse_numbers("a whole number of 64 bits");
  return static_cast<std::int64_t>(number);
}

void check_divisor(bool is_zero) {
  if (is_zero) throw FormatError("expected a divisor that is not 0, got 0");
}

std::int64_t floor_quotient(std::int64_t a, std::int64_t b) {
  if (a == kLeast && b == -1) refuse_numbers("a whole number of 64 bits");
  const std::int64_t quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

Value whole_power(std::int64_t base, std::int64_t exponent) {
  if (exponent < 0) return std::pow(static_cast<double>(base), static_cast<double>(exponent));
  std::int64_t result = 1;
  if (base == 0 || base == 1 || base == -1) return base == -1 && exponent % 2 == 0 ? 1 : exponent == 0 ? 1 : base;
  for (std::int64_t i = 0; i < exponent; ++i) {
    if (__builtin_mul_overflow(result, base, &result)) refuse_numbers("a whole number of 64 bits");
  }
  return result;
}

Value sum(const Value& a, const Value& b, std::int64_t sign) {
  if (!is_whole(a) || !is_whole(b)) return real(a) + static_cast<double>(sign) * real(b);
  std::int64_t result = 0;
  const bool is_over = sign > 0 ? __builtin_add_overflow(whole(a), whole(b), &result)
                                : __builtin_sub_overflow(whole(a), whole(b), &result);
  if (is_over) refuse_numbers("a whole number of 64 bits");
  return result;
}

Value product(const Value& a, const Value& b) {
  if (!is_whole(a) || !is_whole(b)) return real(a) * real(b);
  std::int64_t result = 0;
  if (__builtin_mul_overflow(whole(a), whole(b), &result)) refuse_numbers("a whole number of 64 bits");
  return result;
}

Value quotient(const Value& a, const Value& b) {
  check_divisor(real(b) == 0);
  return real(a) / real(b);
}

Value floor_division(const Value& a, const Value& b) {
  check_divisor(real(b) == 0);
  if (!is_whole(a) || !is_whole(b)) return std::floor(real(a) / real(b));
  return floor_quotient(whole(a), whole(b));
}

Value remainder_of(const Value& a, const Value& b) {
  check_divisor(real(b) == 0);
  if (!is_whole(a) || !is_whole(b)) return real(a) - std::floor(real(a) / real(b)) * real(b);
  if (whole(b) == -1) return 0;
  const std::int64_t rest = whole(a) % whole(b);
  return rest != 0 && (rest < 0) != (whole(b) < 0) ? rest + whole(b) : rest;
}

Value power(const Value& a, const Value& b) {
  return is_whole(a) && is_whole(b) ? whole_power(whole(a), whole(b)) : Value(std::pow(real(a), real(b)));
}

Value least(const Value& a, const Value& b) { return real(b) < real(a) ? b : a; }
Value largest(const Value& a, const Value& b) { return real(b) > real(a) ? b : a; }

Value negative(const Value& a) { return sum(Value(std::int64_t{0}), a, -1); }

using UnaryNumber = Value (*)(const Value&);
using BinaryNumber = Value (*)(const Value&, const Value&);

struct NumberFunction {
  std::string_view name;
  UnaryNumber unary = nullptr;
  BinaryNumber binary = nullptr;
};

/// In the alphabet's order. Names have no "_operator.", "math." or "torch." in front, nor "sym_".
constexpr NumberFunction kFunctions[] = {
    {"add", nullptr, [](const Value& a, const Value& b) { return sum(a, b, 1); }},
    {"and_", nullptr, [](const Value& a, const Value& b) { return Value(truth(a) && truth(b)); }},
    {"ceil", [](const Value& a) { return is_whole(a) ? a : to_whole(std::ceil(real(a))); }},
    {"eq", nullptr, [](const Value& a, const Value& b) { return Value(real(a) == real(b)); }},
    {"float", [](const Value& a) { return Value(real(a)); }},
    {"floor", [](const Value& a) { return is_whole(a) ? a : to_whole(std::floor(real(a))); }},
    {"floordiv", nullptr, floor_division},
    {"ge", nullptr, [](const Value& a, const Value& b) { return Value(real(a) >= real(b)); }},
    {"gt", nullptr, [](const Value& a, const Value& b) { return Value(real(a) > real(b)); }},
    {"int", [](const Value& a) { return is_whole(a) ? Value(whole(a)) : to_whole(std::trunc(real(a))); }},
    {"le", nullptr, [](const Value& a, const Value& b) { return Value(real(a) <= real(b)); }},
    {"lt", nullptr, [](const Value& a, const Value& b) { return Value(real(a) < real(b)); }},
    {"max", nullptr, largest},
    {"min", nullptr, least},
    {"mod", nullptr, remainder_of},
    {"mul", nullptr, product},
    {"ne", nullptr, [](const Value& a, const Value& b) { return Value(real(a) != real(b)); }},
    {"neg", negative},
    {"not", [](const Value& a) { return Value(!truth(a)); }},
    {"not_", [](const Value& a) { return Value(!truth(a)); }},
    {"or_", nullptr, [](const Value& a, const Value& b) { return Value(truth(a) || truth(b)); }},
    {"pow", nullptr, power},
    {"round", [](const Value& a) { return is_whole(a) ? a : to_whole(std::nearbyint(real(a))); }},
    {"sqrt",
     [](const Value& a) {
       if (!(real(a) >= 0)) refuse_numbers("a number of at least 0");
       return Value(std::sqrt(real(a)));
     }},
    {"sub", nullptr, [](const Value& a, const Value& b) { return sum(a, b, -1); }},
    {"truediv", nullptr, quotient},
    {"trunc", [](const Value& a) { return is_whole(a) ? a : to_whole(std::trunc(real(a))); }},
};

/// "mul" of "_operator.mul"; "" of what is no function of numbers.
std::string_view short_name(std::string_view target) {
  for (const std::string_view prefix : {"_operator.", "operator.", "math.", "builtins.", "torch.sym_", "torch._sym_"}) {
    if (target.starts_with(prefix)) return target.substr(prefix.size());
  }
  return "";
}

}  // namespace

std::optional<Value> number_from(std::string_view target, const std::vector<Value>& arguments) {
  const std::string_view name = short_name(target);
  const auto* const found =
      std::lower_bound(std::begin(kFunctions), std::end(kFunctions), name,
                       [](const NumberFunction& one, std::string_view other) { return one.name < other; });
  if (found == std::end(kFunctions) || found->name != name) return {};
  const std::size_t count = found->unary != nullptr ? 1 : 2;
  if (arguments.size() != count || !std::all_of(arguments.begin(), arguments.end(), is_number)) {
    refuse_numbers(count == 1 ? "a number" : "two numbers");
  }
  return found->unary != nullptr ? found->unary(arguments[0]) : found->binary(arguments[0], arguments[1]);
}

}  // namespace teff::serialize
