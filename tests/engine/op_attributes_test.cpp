// SPDX-License-Identifier: MIT

// Attributes come from files: whatever they say, an operation refuses it or computes something of the type it promised.

#include <doctest/doctest.h>

#include <limits>

#include "support/op_samples.h"
#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/op.h"
#include "teff/engine/op_registry.h"

using namespace teff;
using namespace teff::testing;

namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

const std::vector<std::int64_t> kNumbers = {kLeast,
                                            kLeast + 1,
                                            -(std::int64_t{1} << 31),
                                            -3,
                                            -1,
                                            0,
                                            1,
                                            2,
                                            3,
                                            7,
                                            1000,
                                            (std::int64_t{1} << 31) - 1,
                                            std::int64_t{1} << 31,
                                            std::int64_t{1} << 40,
                                            std::int64_t{1} << 62,
                                            kMost};

std::vector<Value> strange_values() {
  std::vector<Value> values = {nullptr,          true,      false,      "",     "none",         "sum",
                               "batchmean",      "reflect", "bilinear", List{}, Dict{{"x", 1}}, List{List{1}, 1},
                               List(9, Value(1))};
  for (const std::int64_t number : kNumbers) {
    values.push_back(number);
    values.push_back(List{number});
    values.push_back(List{number, number});
    values.push_back(List{1, number});
    values.push_back(List{number, 2, number, 2});
  }
  for (const double number :
       {0.0, -1.0, 0.5, 1e-300, 1e18, 1e300, kInfinity, -kInfinity, std::numeric_limits<double>::quiet_NaN()}) {
    values.push_back(number);
  }
  return values;
}

/// @throws Error, or nothing: what else happens is a failure of the test.
void compute(const OpSample& sample, const Dict& attributes) {
  constexpr std::int64_t kTooLong = 100000;
  const auto op = make_op(sample.op, attributes);
  std::vector<Tensor> inputs = sample.leaves(DType::float32);
  std::vector<TensorType> types;
  for (const Tensor& input : inputs) types.push_back(input.type());
  const std::vector<TensorType> expected = detail::output_types(*op, types);
  for (const TensorType& type : expected) {
    if (numel(type.shape) > kTooLong) return;
  }
  const TensorList outputs = apply_all(op, inputs);
  REQUIRE(outputs.size() == expected.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    CHECK(outputs[i].type() == expected[i]);
    if (outputs[i].requires_grad()) outputs[i].backward(ones_like(outputs[i]), {.retain_graph = true});
  }
}

}  // namespace

TEST_CASE("every operation refuses a strange attribute, or computes what it promises") {
  const std::vector<Value> values = strange_values();
  for (const OpSample& sample : op_samples()) {
    INFO(sample);
    const Dict attributes = make_op(sample.op, sample.attributes)->attributes();
    for (const DictItem& item : attributes) {
      for (const Value& value : values) {
        INFO(item.key, " = ", value);
        Dict changed = attributes;
        changed[item.key] = value;
        try {
          compute(sample, changed);
        } catch (const Error&) {  // refused
        } catch (const std::exception& error) {
          FAIL_CHECK(error.what());
        }
      }
    }
  }
}
