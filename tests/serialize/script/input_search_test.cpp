// SPDX-License-Identifier: MIT
#include "teff/serialize/script/input_search.h"

#include <doctest/doctest.h>

#include "support/error_of.h"
#include "teff/engine/error.h"

using namespace teff;
using serialize::find_input_types;
using serialize::InputTrial;
using Types = std::vector<TensorType>;

TEST_CASE("types are found that fit the first weight, and sizes that the network insists on") {
  const auto takes = [](const Types& types) -> InputTrial {
    const Shape& shape = types[0].shape;
    if (shape.size() != 4 || shape[1] != 3) return {"a convolution's refusal of " + to_string(shape), 1};
    if (shape[2] != 37) return {"a later refusal of " + to_string(shape), 2};
    return {};
  };
  CHECK(find_input_types(1, {{{8, 3, 5, 5}}}, takes) == Types{{{2, 3, 37, 37}, DType::float32}});
}

TEST_CASE("two inputs may be of different types") {
  const auto takes = [](const Types& types) -> InputTrial {
    const bool first = types[0].shape == Shape{2, 5}, second = types[1].shape == Shape{2, 7};
    if (first && second) return {};
    return {"refusal of " + to_string(types[0].shape) + to_string(types[1].shape),
            (first ? std::size_t{1} : 0) + (second ? std::size_t{1} : 0)};
  };
  CHECK(find_input_types(2, {{{4, 5}}, {{4, 7}}}, takes) == Types{{{2, 5}, DType::float32}, {{2, 7}, DType::float32}});
}

TEST_CASE("what no types can mend is told after few trials, in the network's own words") {
  std::size_t trials = 0;
  const std::string text = testing::error_of<FormatError>([&] {
    find_input_types(1, {{{8, 3, 5, 5}}}, [&](const Types&) -> InputTrial {
      ++trials;
      return {"line 3: expected a variable that was set before, got \"y\"", 0};
    });
  });
  CHECK(text == "line 3: expected a variable that was set before, got \"y\"");
  CHECK(trials < 20);
}

TEST_CASE("types whose rows do not reach an output are the last choice") {
  const auto takes = [](const Types& types) -> InputTrial {
    const std::int64_t size = types[0].shape.back();
    if (size != 64 && size != 28) return {"refusal of " + std::to_string(size), 1};
    return {"", 2, false, size == 28};
  };
  CHECK(find_input_types(1, {{{8, 3, 5, 5}}}, takes)[0].shape.back() == 28);
}

TEST_CASE("where no types fit the error says what was tried and how to say them") {
  const std::string text = testing::error_of<UnsupportedError>([&] {
    find_input_types(1, {{{8, 3, 5, 5}}}, [](const Types& types) -> InputTrial {
      return {"refusal of " + to_string(types[0].shape), 1};
    });
  });
  CHECK(text.find("LoadOptions::input_types") != std::string::npos);
}
