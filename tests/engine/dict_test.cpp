// SPDX-License-Identifier: MIT
#include "teff/engine/dict.h"

#include <doctest/doctest.h>
#include <cmath>

#include <limits>
#include <sstream>
#include <type_traits>
#include <utility>

#include "teff/engine/error.h"
#include "teff/engine/fields.h"
#include "teff/engine/ops.h"

using namespace teff;

namespace {

template <class T>
std::string printed(const T& value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

std::string keys_of(const Dict& dict) {
  std::string keys;
  for (const DictItem& item : dict) keys += item.key + ' ';
  return keys;
}

struct Options {
  bool flag = false;
  std::int64_t count = 3;
  double rate = 0.5;
  std::string name = "n";
  Pair kernel = {2, 3};
  IntList dims = {1, 2};
  std::optional<std::int64_t> dim;
  DType dtype = DType::int8;
  static void fields(auto& self, auto&& field) {
    field("flag", self.flag);
    field("count", self.count);
    field("rate", self.rate);
    field("name", self.name);
    field("kernel", self.kernel);
    field("dims", self.dims);
    field("dim", self.dim);
    field("dtype", self.dtype);
  }
};

}  // namespace

namespace {

enum class Nest { lists, dicts, both };

/// A value with a number of lists and dicts around it.
Value nested(int depth, Nest nest) {
  Value value = 1;
  for (int i = 0; i < depth; ++i) {
    if (nest == Nest::lists || (nest == Nest::both && i % 2 == 0)) {
      List list;
      list.push_back(2);
      list.push_back(std::move(value));
      list.push_back("after");
      value = std::move(list);
    } else {
      Dict dict;
      dict.insert("a", 2);
      dict.insert("b", std::move(value));
      if (i % 3 == 0) dict.insert("c", List{1, List{2}});
      value = std::move(dict);
    }
  }
  return value;
}

template <class T>
concept KeyChanges = requires(T item) {
  item.key = "other";
};
static_assert(!KeyChanges<decltype(*std::declval<Dict&>().begin())>);
static_assert(!KeyChanges<decltype(*std::declval<const Dict&>().begin())>);
static_assert(std::is_same_v<decltype((std::declval<DictItem&>().key)), const std::string&>);
static_assert(std::is_convertible_v<Dict::iterator, Dict::const_iterator>);
static_assert(!std::is_convertible_v<Dict::const_iterator, Dict::iterator>);

}  // namespace

TEST_SUITE("dict") {
  TEST_CASE("values change through iterators, keys do not") {
    Dict dict;
    for (int i = 0; i < 20; ++i) dict.insert(std::to_string(i), i);
    for (DictItem& item : dict) item.value = item.value.as_int() + 1;
    for (auto& [key, value] : dict) CHECK(value.as_int() == std::stoi(key) + 1);
    const Value* third = dict.find("3");
    CHECK(dict.erase("0"));
    CHECK(dict.find("3") == third);
    const Dict copy = dict;
    CHECK(copy == dict);
    CHECK(copy.find("3") != third);
    dict = Dict(copy);
    CHECK(keys_of(dict) == keys_of(copy));
  }

  TEST_CASE("a value of any depth is moved and let go; it is copied, compared and printed to a depth of 100") {
    for (const Nest nest : {Nest::lists, Nest::dicts, Nest::both}) {
      {
        Value deep = nested(200'000, nest);
        Value moved = std::move(deep);
        CHECK_THROWS_WITH_AS(static_cast<void>(Value(moved)),
                             "value: expected at most 100 lists and dicts in each other to copy, got more", ValueError);
        CHECK_THROWS_WITH_AS(static_cast<void>(moved == nested(200'000, nest)),
                             "value: expected at most 100 lists and dicts in each other to compare, got more",
                             ValueError);
        CHECK_THROWS_WITH_AS(
            printed(moved), "value: expected at most 100 lists and dicts in each other to print, got more", ValueError);
        moved = 5;
        CHECK(moved.as_int() == 5);
      }
      const Value allowed = nested(97, nest), copy = allowed;
      CHECK(copy == allowed);
      CHECK(printed(copy) == printed(allowed));
      const Value too_deep = nested(101, nest);
      CHECK_THROWS_AS(static_cast<void>(Value(too_deep)), ValueError);
    }
    List wide;
    for (int i = 0; i < 100'000; ++i) wide.push_back(i % 2 == 0 ? Value(i) : Value(List{List{i}}));
    Value value = std::move(wide);  // neither deep nor slow
    Dict holder{{"deep", Value()}};
    holder["deep"] = nested(200'000, Nest::both);
    CHECK_THROWS_AS(static_cast<void>(Dict(holder)), ValueError);
    holder.clear();
  }

  TEST_CASE("a part of a value may be put in its place") {
    Value value = List{List{1, 2}, 3};
    value = value.as_list()[0];
    CHECK(value == Value(List{1, 2}));
    value = List{List{1, 2}, 3};
    value = std::move(value.as_list()[0]);
    CHECK(value == Value(List{1, 2}));
    Dict dict{{"inner", Dict{{"a", 1}}}};
    dict = std::move(dict.at("inner").as_dict());
    CHECK(dict == Dict{{"a", 1}});
  }

  TEST_CASE("items keep the order of insertion") {
    Dict dict{{"b", 1}, {"a", 2}};
    dict["c"] = 3;
    dict["b"] = 4;
    CHECK(keys_of(dict) == "b a c ");
    CHECK(dict.erase("a"));
    CHECK_FALSE(dict.erase("a"));
    dict.insert("a", 5);
    CHECK(keys_of(dict) == "b c a ");
    CHECK(dict.at("b").as_int() == 4);
  }

  TEST_CASE("a key can be there once") {
    Dict dict{{"a", 1}};
    CHECK_THROWS_WITH_AS(dict.insert("a", 2), "dict: expected a new key, got \"a\" a second time", ValueError);
    CHECK(dict.at("a").as_int() == 1);
    CHECK_THROWS_AS((Dict{{"x", 1}, {"x", 2}}), ValueError);
  }

  TEST_CASE("a missing key is named together with those that are there") {
    const Dict dict{{"epoch", 1}, {"loss", 2}};
    CHECK_THROWS_WITH_AS(dict.at("los"), "dict: expected one of its keys (\"epoch\", \"loss\"), got \"los\"",
                         IndexError);
    CHECK(dict.find("los") == nullptr);
    CHECK_FALSE(dict.contains("los"));
    CHECK_THROWS_AS(Dict().at(""), IndexError);
  }

  TEST_CASE("lookups are right at every size, also after erasing and copying") {
    Dict dict;
    for (int n = 0; n < 100; ++n) {
      dict.insert("key" + std::to_string(n), n);
      for (int i = 0; i <= n; ++i) REQUIRE(dict.at("key" + std::to_string(i)).as_int() == i);
      REQUIRE_FALSE(dict.contains("key" + std::to_string(n + 1)));
    }
    Dict copy = dict;
    for (int n = 0; n < 100; n += 3) REQUIRE(copy.erase("key" + std::to_string(n)));
    for (int n = 0; n < 100; ++n) {
      const Value* value = copy.find("key" + std::to_string(n));
      REQUIRE((value == nullptr) == (n % 3 == 0));
      if (value != nullptr) REQUIRE(value->as_int() == n);
    }
    CHECK(dict.size() == 100);
    copy = std::move(dict);
    CHECK(copy.at("key99").as_int() == 99);
    copy.clear();
    CHECK(copy.empty());
    copy["key1"] = 1;
    CHECK(copy.size() == 1);
  }

  TEST_CASE("copies copy the structure and share the tensors") {
    Dict a{{"inner", Dict{{"n", 1}}}, {"t", ones({2})}};
    Dict b = a;
    b.at("inner").as_dict()["n"] = 2;
    b.at("t").as_tensor().fill_(7);
    CHECK(a.at("inner").as_dict().at("n").as_int() == 1);
    CHECK(a.at("t").as_tensor().data<float>()[0] == 7);
  }

  TEST_CASE("equality ignores the order of a dict, not that of a list") {
    CHECK(Dict{{"a", 1}, {"b", 2}} == Dict{{"b", 2}, {"a", 1}});
    CHECK_FALSE(Dict{{"a", 1}} == Dict{{"a", 2}});
    CHECK_FALSE(Dict{{"a", 1}} == Dict{{"a", 1}, {"b", 1}});
    CHECK_FALSE(Dict{{"a", 1}} == Dict{{"b", 1}});
    CHECK(Value(List{1, 2}) == Value(IntList{1, 2}));
    CHECK_FALSE(Value(List{1, 2}) == Value(List{2, 1}));
  }

  TEST_CASE("values are equal if kind and every bit are") {
    CHECK_FALSE(Value(1) == Value(1.0));
    CHECK_FALSE(Value(1) == Value(true));
    CHECK_FALSE(Value() == Value(0));
    CHECK_FALSE(Value(0.0) == Value(-0.0));
    CHECK(Value(std::numeric_limits<double>::quiet_NaN()) == Value(std::numeric_limits<double>::quiet_NaN()));
    CHECK(Value("a") == Value(std::string("a")));
    CHECK(Value(ones({2})) == Value(ones({2})));
    CHECK_FALSE(Value(ones({2})) == Value(ones({1, 2})));
    CHECK_FALSE(Value(ones({2})) == Value(ones({2}, {.dtype = DType::float64})));
    CHECK(Value(zeros({0, 2})) == Value(zeros({0, 2})));
    CHECK(Value(Tensor()) == Value(Tensor()));
    CHECK_FALSE(Value(Tensor()) == Value(ones({1})));
  }

  TEST_CASE("a value says what it is when it is taken for something else") {
    CHECK_THROWS_WITH_AS(Value("x").as_int(), "value: expected an integer, got text", TypeError);
    CHECK_THROWS_WITH_AS(Value(1.5).as_int(), "value: expected an integer, got a floating-point number", TypeError);
    CHECK_THROWS_WITH_AS(Value().as_dict(), "value: expected a dict, got None", TypeError);
    CHECK_THROWS_WITH_AS(Value(ones({1})).as_list(), "value: expected a list, got a tensor", TypeError);
    CHECK_THROWS_AS(Value(true).as_int(), TypeError);
    CHECK_THROWS_AS((Value(List{1, "x"}).as_int_list()), TypeError);
    CHECK(Value(2).as_float() == 2.0);
    CHECK(Value(List{1, 2}).as_int_list() == IntList{1, 2});
  }

  TEST_CASE("values are printed as Python prints them, tensors by type and shape") {
    const Dict dict{{"epoch", 5},      {"loss", 0.5},        {"name", "it's"},       {"done", false},
                    {"none", Value()}, {"w", zeros({2, 3})}, {"list", List{1, "a"}}, {"inner", Dict{{"x", 1}}},
                    {"b", Bytes(3)}};
    CHECK(printed(dict) ==
          "{'epoch': 5, 'loss': 0.5, 'name': 'it\\'s', 'done': False, 'none': None, 'w': tensor float32 [2, "
          "3], "
          "'list': [1, 'a'], 'inner': {'x': 1}, 'b': <3 bytes>}");
    CHECK(printed(Dict()) == "{}");
  }

  TEST_CASE("floats are printed with all their digits, and as no whole number") {
    CHECK(printed(Value(List{1234567.5, 0.0, -0.0, 3.0, 0.1, 1e-5, 1.5e-7, 1e16, 123456789012345680.0, 1e22})) ==
          "[1234567.5, 0.0, -0.0, 3.0, 0.1, 1e-05, 1.5e-07, 1e+16, 1.2345678901234568e+17, 1e+22]");
    CHECK(printed(Value(List{INFINITY, -INFINITY, NAN})) == "[inf, -inf, nan]");
  }

  TEST_CASE("text that would control a terminal is escaped") {
    CHECK(printed(Value("a\x1b[2J\n")) == "'a\\x1b[2J\\x0a'");
    CHECK(printed(Value("a\xe2\x80\xae"
                        "b\xe2\x81\xa9\xd8\x9c\xe2\x80\x8f\xe2\x82\xac")) ==
          "'a\\xe2\\x80\\xaeb\\xe2\\x81\\xa9\\xd8\\x9c\\xe2\\x80\\x8f\xe2\x82\xac'");
  }

  TEST_CASE("options become a dict and come back") {
    const Options options{.flag = true,
                          .count = -1,
                          .rate = 1e-300,
                          .name = "",
                          .kernel = {4, 5},
                          .dims = {},
                          .dim = 7,
                          .dtype = DType::bfloat16};
    const Dict dict = to_dict(options);
    CHECK(to_dict(from_dict<Options>(dict, "test")) == dict);
    CHECK(to_dict(from_dict<Options>({}, "test")) == to_dict(Options()));
    CHECK(to_dict(Options()).at("dim").is_none());
  }

  TEST_CASE("options refuse unknown names and wrong kinds") {
    CHECK_THROWS_WITH_AS((from_dict<Options>({{"colour", 1}}, "test")),
                         "test: expected attributes among (flag, count, rate, name, kernel, dims, dim, dtype), got "
                         "\"colour\"",
                         ValueError);
    CHECK_THROWS_WITH_AS((from_dict<Options>({{"count", 1.5}}, "test")),
                         "test: attribute \"count\": value: expected an integer, got a floating-point number",
                         TypeError);
    CHECK_THROWS_AS((from_dict<Options>({{"dtype", "float99"}}, "test")), Error);
    CHECK_THROWS_AS((from_dict<Options>({{"dims", List(9, 1)}}, "test")), Error);
  }
}
