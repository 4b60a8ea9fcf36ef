// SPDX-License-Identifier: MIT

// What must hold for every operation, checked on the samples of support/op_samples.cpp.

#include "teff/engine/op_registry.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>

#include "support/op_module.h"
#include "support/op_samples.h"
#include "support/same.h"
#include "support/temp_file.h"
#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/op.h"
#include "teff/engine/ops.h"
#include "teff/engine/parallel.h"
#include "teff/engine/random.h"
#include "teff/engine/testing.h"
#include "teff/nn/module.h"
#include "teff/serialize/save_load.h"

using namespace teff;
using namespace teff::testing;

namespace {

constexpr std::uint64_t kSeed = 5;  // for operations that draw

/// All results.
TensorList compute(const OpSample& sample, std::span<const Tensor> inputs) {
  manual_seed(kSeed);
  return apply_all(make_op(sample.op, sample.attributes), inputs);
}

std::vector<TensorType> types_of(const std::vector<Tensor>& inputs) {
  std::vector<TensorType> types;
  for (const Tensor& input : inputs) types.push_back(input.type());
  return types;
}

bool all_same(std::span<const Tensor> a, std::span<const Tensor> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Tensor& x, const Tensor& y) { return same(x, y); });
}

/// The elements of all results that require grad, each times its own weight, as one tensor; undefined if there is none.
Tensor weighted(const TensorList& outputs) {
  std::vector<Tensor> parts;
  for (const Tensor& output : outputs) {
    if (!output.requires_grad()) continue;
    Tensor weights = empty(output.shape(), {.dtype = DType::float64});
    auto i = static_cast<std::int64_t>(parts.size());
    for (double& value : weights.span<double>()) value = static_cast<double>(i++ % 7) / 4 - 0.6;
    parts.push_back((output * weights.to(output.dtype())).view({-1}));
  }
  return parts.empty() ? Tensor() : cat(parts);
}

void backward(const TensorList& outputs) { sum(weighted(outputs)).backward(); }

/// The results, what is left in the inputs, and all gradients, for incoming gradients of a fixed pattern.
std::vector<Tensor> results(const OpSample& sample, DType dtype) {
  const std::vector<Tensor> inputs = sample.leaves(dtype);
  const TensorList outputs = compute(sample, inputs);
  std::vector<Tensor> all;
  for (const Tensor& output : outputs) all.push_back(output.detach());
  all.insert(all.end(), inputs.begin(), inputs.end());
  if (!outputs[0].requires_grad()) return all;
  backward(outputs);
  for (const Tensor& input : inputs) {
    if (input.requires_grad()) all.push_back(input.grad());
  }
  return all;
}

void check_saved_and_loaded(const OpSample& sample) {
  OpModule module(sample);
  const std::vector<Tensor> number{scalar_tensor(1.5)};
  const TempFile file;
  save_model(module, number, file);
  nn::GraphModule loaded = load_model(file);
  for (const bool training : {false, true}) {
    INFO((training ? "in training" : "in evaluation"));
    module.train(training);
    loaded.train(training);
    manual_seed(kSeed);
    const std::vector<Tensor> expected = module(number);
    manual_seed(kSeed);
    CHECK(all_same(loaded(number), expected));
    CHECK(loaded.state_dict() == module.state_dict());
  }
}

/// That an operation of several results writes all of them where it is told.
void check_destinations(const OpSample& sample, std::span<const Tensor> inputs, std::span<const TensorType> types) {
  const auto op = make_op(sample.op, sample.attributes);
  const std::vector<TensorType> outputs = detail::output_types(*op, types);
  TensorList destinations;
  for (const TensorType& type : outputs) destinations.push_back(empty(type.shape, {.dtype = type.dtype}));
  TensorList results = destinations;
  manual_seed(kSeed);
  op->several()->forward_all({inputs, outputs, nullptr, results});
  CHECK(all_same(results, compute(sample, sample.inputs())));
  for (std::size_t i = 0; i < results.size(); ++i) CHECK(results[i].is(destinations[i]));
}

void check_attributes(const OpSample& sample) {
  const auto op = make_op(sample.op, sample.attributes);
  const Dict attributes = op->attributes();
  CHECK(op->name() == sample.op);
  CHECK(make_op(sample.op, attributes, op->version())->attributes() == attributes);
  for (const DictItem& item : sample.attributes) {
    INFO(item.key);
    CHECK(attributes.at(item.key) == item.value);
  }
  Dict unknown = attributes;
  unknown.insert("no_such_attribute", 1);
  CHECK_THROWS_AS(make_op(sample.op, unknown), ValueError);
  CHECK_THROWS_AS(make_op(sample.op, attributes, op->version() + 1), ValueError);
  CHECK_THROWS_AS(make_op(sample.op, attributes, 0), ValueError);
}

template <class Check>
void for_each_sample(const std::vector<OpSample>& samples, Check&& check) {
  for (const OpSample& sample : samples) {
    INFO(sample);
    CHECK_NOTHROW(check(sample));
  }
}

}  // namespace

TEST_SUITE("op_registry") {
  TEST_CASE("every registered operation has a sample") {
    for (const std::string& name : registered_ops()) {
      if (name.starts_with("test_")) continue;  // operations that tests register
      INFO(name);
      CHECK(std::any_of(op_samples().begin(), op_samples().end(),
                        [&](const OpSample& sample) { return sample.op == name; }));
    }
  }

  TEST_CASE("every operation's gradients equal central differences") {
    for_each_sample(op_samples(), [](const OpSample& sample) {
      const auto op = make_op(sample.op, sample.attributes);
      gradcheck(
          [&](std::span<const Tensor> inputs) {
            manual_seed(kSeed);
            const TensorList outputs = apply_all(op, inputs);
            std::vector<Tensor> parts;
            for (const Tensor& output : outputs) parts.push_back(output.to(DType::float64).view({-1}));
            return cat(parts);
          },
          sample.leaves(DType::float64));
    });
  }

  TEST_CASE("every operation asks for gradients of its differentiable inputs") {
    for_each_sample(op_samples(), [](const OpSample& sample) {
      const std::vector<Tensor> inputs = sample.leaves(DType::float64);
      const TensorList outputs = compute(sample, inputs);
      const bool asked = std::any_of(inputs.begin(), inputs.end(), [](const Tensor& x) { return x.requires_grad(); });
      const bool differentiable = asked && make_op(sample.op, sample.attributes)->differentiable();
      for (const Tensor& output : outputs) {
        CHECK(output.requires_grad() == (differentiable && is_computable(output.dtype())));
        CHECK(output.is_leaf() == !output.requires_grad());
      }
      if (!differentiable) return;
      backward(outputs);
      for (const Tensor& input : inputs) CHECK(input.grad().defined() == input.requires_grad());
    });
  }

  TEST_CASE("every operation's gradient of one input does not depend on which others are asked for") {
    for_each_sample(op_samples(), [](const OpSample& sample) {
      const std::vector<Tensor> all = sample.leaves(DType::float64);
      const TensorList outputs = compute(sample, all);
      if (!outputs[0].requires_grad()) return;
      backward(outputs);
      for (std::size_t i = 0; i < all.size(); ++i) {
        if (!all[i].requires_grad()) continue;
        const std::vector<Tensor> alone = sample.inputs();
        alone[i].requires_grad_();
        backward(compute(sample, alone));
        CHECK(same(alone[i].grad(), all[i].grad()));
      }
    });
  }

  TEST_CASE("every operation of several results takes a gradient of each result alone") {
    for_each_sample(op_samples(), [](const OpSample& sample) {
      const std::vector<Tensor> all = sample.leaves(DType::float64);
      const TensorList outputs = compute(sample, all);
      if (outputs.size() == 1) return;
      TensorList sums(all.size());
      for (std::size_t i = 0; i < outputs.size(); ++i) {
        if (!outputs[i].requires_grad()) continue;
        const std::vector<Tensor> alone = sample.leaves(DType::float64);
        TensorList only = compute(sample, alone);
        for (std::size_t j = 0; j < only.size(); ++j) {
          if (j != i) only[j] = only[j].detach();
        }
        (only[i] * only[i]).sum().backward();
        for (std::size_t k = 0; k < all.size(); ++k) {
          const Tensor& grad = alone[k].grad();
          if (grad.defined()) sums[k] = sums[k].defined() ? sums[k] + grad : grad;
        }
      }
      Tensor squares = zeros({}, {.dtype = DType::float64});
      for (const Tensor& output : outputs) {
        if (output.requires_grad()) squares = squares + (output * output).sum();
      }
      squares.backward();
      for (std::size_t k = 0; k < all.size(); ++k) {
        if (all[k].requires_grad()) CHECK_NOTHROW(assert_close(all[k].grad(), sums[k]));
      }
    });
  }

  TEST_CASE("every operation can be made again from its attributes, and from no others") {
    for_each_sample(op_samples(), check_attributes);
  }

  TEST_CASE("every operation computes the same after capture, save and load") {
    for_each_sample(op_samples(), check_saved_and_loaded);
  }

  TEST_CASE("every operation's float32 results are close to its float64 results") {
    const auto check = [](const OpSample& sample, const Tolerance& tolerance) {
      if (sample.op == "to") return;
      const std::vector<Tensor> exact = results(sample, DType::float64);
      const std::vector<Tensor> rounded = results(sample, DType::float32);
      REQUIRE(rounded.size() == exact.size());
      for (std::size_t i = 0; i < exact.size(); ++i) {
        assert_close(rounded[i].to(DType::float64), exact[i].to(DType::float64), tolerance);
      }
    };
    for_each_sample(op_samples(), [&](const OpSample& sample) { check(sample, {1e-5, 1e-5}); });
    for_each_sample(large_op_samples(), [&](const OpSample& sample) { check(sample, {1e-5, 1e-3}); });
  }

  TEST_CASE("every operation gives the same bits for any number of threads") {
    const int before = get_num_threads();
    const auto check = [](const OpSample& sample) {
      for (const DType dtype : {DType::float32, DType::float64}) {
        set_num_threads(1);
        const std::vector<Tensor> expected = results(sample, dtype);
        for (const int threads : {2, 3, 4}) {
          INFO(threads, " threads, ", to_string(dtype));
          set_num_threads(threads);
          const std::vector<Tensor> actual = results(sample, dtype);
          REQUIRE(actual.size() == expected.size());
          for (std::size_t i = 0; i < actual.size(); ++i) CHECK(same(actual[i], expected[i]));
        }
      }
    };
    for_each_sample(op_samples(), check);
    for_each_sample(large_op_samples(), check);
    set_num_threads(before);
  }

  TEST_CASE("every operation writes its result where it is told, or shares the elements of its input as it says") {
    for_each_sample(op_samples(), [](const OpSample& sample) {
      const std::vector<Tensor> inputs = sample.inputs();
      const std::vector<TensorType> types = types_of(inputs);
      const auto op = make_op(sample.op, sample.attributes);
      if (op->several() != nullptr) return check_destinations(sample, inputs, types);
      const TensorType type = op->output_type(types);
      const Tensor expected = compute(sample, sample.inputs())[0];
      const Tensor destination = empty(type.shape, {.dtype = type.dtype});
      manual_seed(kSeed);
      const Tensor result = op->forward({inputs, type, nullptr, &destination});
      CHECK(same(result, expected));
      CHECK(result.is(destination) != op->is_view(types));
      CHECK(result.shares_memory_with(inputs[0]) == op->is_view(types));
      if (op->forwards_input()) CHECK(same(result, inputs[0]));
    });
  }

  TEST_CASE("every operation that says what it does to elements or channels does that") {
    int clamps = 0, affine = 0;
    for_each_sample(op_samples(), [&](const OpSample& sample) {
      const std::vector<Tensor> inputs = sample.inputs();
      const auto op = make_op(sample.op, sample.attributes);
      const Tensor result = compute(sample, inputs)[0];
      if (const auto bounds = op->clamping()) {
        ++clamps;
        CHECK(same(result, clamp(inputs[0], bounds->low, bounds->high)));
      }
      std::vector<Tensor> constants = inputs;
      constants[0] = Tensor();
      if (const auto channels = op->channel_affine(constants)) {
        ++affine;
        Shape shape{inputs[0].size(1)};
        while (shape.size() + 1 < inputs[0].shape().size()) shape.push_back(1);
        assert_close(result, inputs[0] * channels->scale.view(shape) + channels->shift.view(shape));
        constants.back() = Tensor();
        CHECK_FALSE(op->channel_affine(constants).has_value());
      }
    });
    CHECK(clamps == 4);  // relu, hardtanh and clamp
    CHECK(affine == 2);  // batch_norm in evaluation mode
  }

  TEST_CASE("every operation says whether it is in training, and which inputs that changes") {
    int changed = 0;
    for_each_sample(op_samples(), [&](const OpSample& sample) {
      const std::vector<Tensor> inputs = sample.inputs(), before = sample.inputs();
      const auto op = make_op(sample.op, sample.attributes);
      CHECK(op->is_training() == (op->attributes().contains("training") && op->attributes().at("training").as_bool()));
      compute(sample, inputs);
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (same(inputs[i], before[i])) continue;
        ++changed;
        CHECK(op->updates_input(i));
      }
    });
    CHECK(changed == 6);  // the running statistics of two samples of batch_norm and one of instance_norm
  }

  TEST_CASE("recording does not change results") {
    for_each_sample(op_samples(), [](const OpSample& sample) {
      const TensorList recorded = compute(sample, sample.leaves(DType::float64));
      const NoGradGuard no_grad;
      CHECK(all_same(compute(sample, sample.leaves(DType::float64)), recorded));
    });
  }

  TEST_CASE("every operation refuses too few and too many inputs") {
    for_each_sample(op_samples(), [](const OpSample& sample) {
      const auto op = make_op(sample.op, sample.attributes);
      CHECK_THROWS_AS(detail::output_types(*op, {}), Error);
      if (sample.op == "cat" || sample.op == "stack") return;
      const std::vector<TensorType> many(7, TensorType{{3, 3}, DType::float32});
      CHECK_THROWS_AS(detail::output_types(*op, many), ShapeError);
    });
  }

  TEST_CASE("an unknown name is refused") {
    CHECK_THROWS_WITH_AS(make_op("no_such_op", {}),
                         "make_op: expected the name of a registered op, got \"no_such_op\"; an op of your own must be "
                         "made known with register_op first",
                         ValueError);
  }

  TEST_CASE("a newer version is refused with both versions") {
    CHECK_THROWS_WITH_AS(make_op("relu", {}, 7), "relu: expected version 1 to 1 of the operation, got version 7",
                         ValueError);
  }

  TEST_CASE("an attribute of the wrong kind is refused by name") {
    CHECK_THROWS_WITH_AS(make_op("softmax", {{"dim", "last"}}),
                         "softmax: attribute \"dim\": value: expected an integer, got text", TypeError);
    CHECK_THROWS_WITH_AS(make_op("conv2d", {{"stride", IntList{1, 2, 3}}}),
                         "conv2d: attribute \"stride\": expected a list of 2 integers, got [1, 2, 3]", TypeError);
  }

  TEST_CASE("an unknown attribute is refused with the known ones") {
    CHECK_THROWS_WITH_AS(make_op("softmax", {{"axis", 1}}), "softmax: expected attributes among (dim), got \"axis\"",
                         ValueError);
  }

  TEST_CASE("a missing attribute has its default") {
    CHECK(make_op("conv2d", {})->attributes().at("groups").as_int() == 1);
  }
}
