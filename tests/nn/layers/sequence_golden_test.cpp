// SPDX-License-Identifier: MIT

// Recurrent layers, attention and transformers against PyTorch's: tests/golden/sequence_modules.golden, which has them
// under the same names.

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "nn/nets.h"
#include "support/golden.h"
#include "teff/engine/testing.h"

using namespace teff;
using namespace teff::testing;
using namespace teff::nn_testing;

namespace {

using Tensors = std::vector<Tensor>;

struct SequenceLayer {
  std::shared_ptr<nn::Module> module;
  std::function<Tensors(const Tensors&)> call;
};

template <class M, class Call>
SequenceLayer sequence_layer(M module, const Call& call) {
  auto held = std::make_shared<M>(std::move(module));
  return {held, [held, call](const Tensors& inputs) { return call(*held, inputs); }};
}

template <class M>
SequenceLayer any_inputs(M module) {
  return sequence_layer(std::move(module), [](nn::Module& m, const Tensors& x) { return m(x); });
}

Tensors listed(const RecurrentResult& result) { return {result.output, result.state.h, result.state.c}; }
Tensors listed(const nn::RNNResult& result) { return {result.output, result.h}; }
Tensors listed(const nn::AttentionResult& result) {
  return result.weights.defined() ? Tensors{result.output, result.weights} : Tensors{result.output};
}

template <class M>
SequenceLayer to_itself(M module) {
  return sequence_layer(std::move(module), [](M& m, const Tensors& x) { return listed(m(x[0], x[0], x[0])); });
}

Tensor lengths_of(std::initializer_list<std::int64_t> lengths) {
  return tensor<std::int64_t>(std::vector<std::int64_t>(lengths));
}

/// Those that have no call of their own take their inputs as forward_many does.
const std::map<std::string, std::function<SequenceLayer()>> kSequenceLayers = {
    {"RNN", [] { return any_inputs(nn::RNN(2, 3)); }},
    {"RNN, relu, state",
     [] {
       return any_inputs(nn::RNN(2, 3, {.num_layers = 2, .nonlinearity = nn::RNNNonlinearity::relu, .bias = false}));
     }},
    {"GRU, state",
     [] { return any_inputs(nn::GRU(2, 3, {.num_layers = 2, .batch_first = true, .bidirectional = true})); }},
    {"GRU, dropout", [] { return any_inputs(nn::GRU(2, 3, {.num_layers = 3, .dropout = 0.5})); }},
    {"GRU, no batch", [] { return any_inputs(nn::GRU(2, 3, {.num_layers = 2, .batch_first = true})); }},
    {"GRU, lengths",
     [] {
       return sequence_layer(nn::GRU(2, 3, {.bidirectional = true}), [](nn::GRU& m, const Tensors& x) {
         return listed(m(x[0], {}, lengths_of({2, 4, 1})));
       });
     }},
    {"LSTM", [] { return any_inputs(nn::LSTM(2, 3)); }},
    {"LSTM, state", [] { return any_inputs(nn::LSTM(2, 3, {.num_layers = 2})); }},
    {"LSTM, projection",
     [] {
       return any_inputs(nn::LSTM(
           2, 4, {.num_layers = 2, .batch_first = true, .dropout = 0.25, .bidirectional = true, .proj_size = 3}));
     }},
    {"LSTM, no batch", [] { return any_inputs(nn::LSTM(2, 3, {.bidirectional = true})); }},
    {"LSTM, lengths",
     [] {
       return sequence_layer(nn::LSTM(2, 3, {.num_layers = 2, .batch_first = true, .bidirectional = true}),
                             [](nn::LSTM& m, const Tensors& x) {
                               return listed(m(x[0], {x[1], x[2]}, lengths_of({3, 1, 4})));
                             });
     }},
    {"RNNCell", [] { return any_inputs(nn::RNNCell(2, 3)); }},
    {"RNNCell, relu",
     [] { return any_inputs(nn::RNNCell(2, 3, {.bias = false, .nonlinearity = nn::RNNNonlinearity::relu})); }},
    {"GRUCell", [] { return any_inputs(nn::GRUCell(2, 3)); }},
    {"GRUCell, no batch", [] { return any_inputs(nn::GRUCell(2, 3)); }},
    {"LSTMCell", [] { return any_inputs(nn::LSTMCell(2, 3, {.bias = false})); }},
    {"LSTMCell, no batch", [] { return any_inputs(nn::LSTMCell(2, 3)); }},
    {"MultiheadAttention", [] { return to_itself(nn::MultiheadAttention(4, 2)); }},
    {"MultiheadAttention, others",
     [] {
       return sequence_layer(nn::MultiheadAttention(4, 2, {.kdim = 3, .vdim = 5, .batch_first = true}),
                             [](nn::MultiheadAttention& m, const Tensors& x) {
                               return listed(m(x[0], x[1], x[2], {.average_attn_weights = false}));
                             });
     }},
    {"MultiheadAttention, more keys",
     [] {
       return sequence_layer(nn::MultiheadAttention(4, 2, {.add_bias_kv = true, .add_zero_attn = true}),
                             [](nn::MultiheadAttention& m, const Tensors& x) {
                               return listed(m(x[0], x[1], x[1], {.need_weights = false, .attn_mask = x[2]}));
                             });
     }},
    {"MultiheadAttention, masks",
     [] {
       return sequence_layer(nn::MultiheadAttention(4, 2, {.bias = false, .batch_first = true}),
                             [](nn::MultiheadAttention& m, const Tensors& x) {
                               return listed(m(x[0], x[0], x[0], {.key_padding_mask = x[1], .attn_mask = x[2]}));
                             });
     }},
    {"MultiheadAttention, dropout", [] { return to_itself(nn::MultiheadAttention(4, 2, {.dropout = 0.3})); }},
    {"MultiheadAttention, no batch",
     [] {
       return sequence_layer(nn::MultiheadAttention(4, 2), [](nn::MultiheadAttention& m, const Tensors& x) {
         return listed(m(x[0], x[0], x[0], {.key_padding_mask = x[1]}));
       });
     }},
    {"TransformerEncoderLayer",
     [] { return any_inputs(nn::TransformerEncoderLayer(4, 2, {.dim_feedforward = 6, .dropout = 0})); }},
    {"TransformerEncoderLayer, norm first",
     [] {
       return sequence_layer(nn::TransformerEncoderLayer(4, 2,
                                                         {.dim_feedforward = 6,
                                                          .dropout = 0.2,
                                                          .activation = nn::TransformerActivation::gelu,
                                                          .layer_norm_eps = 1e-3,
                                                          .batch_first = true,
                                                          .norm_first = true}),
                             [](nn::TransformerEncoderLayer& m, const Tensors& x) {
                               return Tensors{m(x[0], {.mask = x[1], .key_padding_mask = x[2]})};
                             });
     }},
    {"TransformerEncoder",
     [] {
       const nn::TransformerEncoderLayer layer(4, 2, {.dim_feedforward = 6});
       return any_inputs(nn::TransformerEncoder(layer, 2, nn::LayerNorm(4)));
     }},
    {"TransformerDecoderLayer",
     [] {
       return sequence_layer(
           nn::TransformerDecoderLayer(4, 2, {.dim_feedforward = 6, .dropout = 0}),
           [](nn::TransformerDecoderLayer& m, const Tensors& x) { return Tensors{m(x[0], x[1], {.mask = x[2]})}; });
     }},
    {"TransformerDecoder",
     [] {
       const nn::TransformerDecoderLayer layer(4, 2, {.dim_feedforward = 6, .dropout = 0, .norm_first = true});
       return any_inputs(nn::TransformerDecoder(layer, 2));
     }},
    {"Transformer",
     [] {
       return sequence_layer(
           nn::Transformer({.d_model = 4,
                            .nhead = 2,
                            .num_encoder_layers = 1,
                            .num_decoder_layers = 2,
                            .layer = {.dim_feedforward = 6, .batch_first = true}}),
           [](nn::Transformer& m, const Tensors& x) { return Tensors{m(x[0], x[1], {.tgt = {.mask = x[2]}})}; });
     }},
};

/// As the golden file has keys, whose dots would nest.
std::string with_slashes(std::string key) {
  std::replace(key.begin(), key.end(), '.', '/');
  return key;
}

Tensors tensors_under(const GoldenCase& one, const char* key) {
  const Value* found = one.entries.find(key);
  return found == nullptr ? Tensors() : tensors_of(found->as_dict());
}

/// The gradients that the script asked for: of all results, times cos(1), cos(2), ...
void run_backward(const Tensors& outputs) {
  Tensor loss = zeros({}, {.dtype = DType::float64});
  for (const Tensor& output : outputs) {
    Tensor factors = empty(output.shape(), {.dtype = DType::float64});
    double next = 1;
    for (double& factor : factors.span<double>()) factor = std::cos(next++);
    loss = loss + (output * factors).sum();
  }
  loss.backward();
}

void check_near(const std::string& what, const Tensor& actual, const Tensor& expected) {
  INFO(what);
  REQUIRE(actual.defined());
  CHECK_NOTHROW(assert_close(actual.detach(), expected, {1e-7, 1e-8}));
}

void check_parameter_gradients(nn::Module& module, const Dict& expected) {
  std::int64_t count = 0;
  const NamedTensors parameters = module.named_parameters();
  for (const auto& [name, parameter] : parameters) count += parameter.numel();
  CHECK(expected.size() == parameters.size());
  for (const auto& [name, parameter] : parameters) {
    const Tensor grad = count > 300 ? parameter.grad().sum() : parameter.grad();
    check_near("gradient of " + name, grad, expected.at(with_slashes(name)).as_tensor());
  }
}

void check_sequence_layer(const GoldenCase& one) {
  const auto known = kSequenceLayers.find(one.name);
  REQUIRE(known != kSequenceLayers.end());
  manual_seed(5);
  const SequenceLayer layer = known->second();
  CHECK(printed(*layer.module) == one.entries.at("printed").as_text());
  const Dict state = layer.module->state_dict(), &expected = one.entries.at("state").as_dict();
  REQUIRE(state.size() == expected.size());
  auto next = expected.begin();
  for (const DictItem& item : state) {
    INFO(item.key);
    CHECK(with_slashes(item.key) == next->key);
    CHECK(same_bits(item.value.as_tensor(), (next++)->value.as_tensor()));
  }
  layer.module->to(DType::float64);
  Tensors inputs = tensors_under(one, "inputs");
  const Value* const gradients = one.entries.find("gradients");
  for (const DictItem& item : gradients->as_dict()) inputs[std::stoul(item.key)].requires_grad_();
  manual_seed(6);
  const Tensors outputs = layer.call(inputs), wanted = tensors_under(one, "outputs");
  REQUIRE(outputs.size() == wanted.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) check_near("output " + std::to_string(i), outputs[i], wanted[i]);
  run_backward(outputs);
  for (const DictItem& item : gradients->as_dict()) {
    check_near("gradient of input " + item.key, inputs[std::stoul(item.key)].grad(), item.value.as_tensor());
  }
  check_parameter_gradients(*layer.module, one.entries.at("parameters").as_dict());
}

}  // namespace

TEST_CASE("recurrent layers, attention and transformers print, begin and compute as PyTorch's do") {
  std::set<std::string> seen;
  for (const GoldenCase& one : read_golden("sequence_modules.golden")) {
    INFO(one.name);
    seen.insert(one.name);
    check_sequence_layer(one);
  }
  CHECK(seen.size() == kSequenceLayers.size());
}
