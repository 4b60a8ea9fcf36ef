// SPDX-License-Identifier: MIT

// Networks of recurrent layers and attention: captured, saved, loaded, in sessions, piece by piece.

#include "nn/nets.h"
#include "support/temp_file.h"
#include "teff/engine/autograd.h"
#include "teff/serialize/save_load.h"

namespace teff::nn_testing {
namespace {

/// Words in, classes out: the layer's state is used within.
struct WordNet : nn::Module {
  nn::Embedding words{11, 6};
  nn::LSTM lstm{6, 5, {.num_layers = 2, .batch_first = true, .dropout = 0.3, .bidirectional = true}};
  nn::Linear fc{10, 3};
  TEFF_MODULE(WordNet, words, lstm, fc)

  Tensor forward(const Tensor& x) override {
    const auto [output, state] = lstm(words(x));
    return fc(output.mean({1})) + fc(cat({state.h.select(0, -1), state.c.select(0, -2)}, 1));
  }
};

/// A small language model.
struct CausalNet : nn::Module {
  nn::TransformerEncoder encoder{
      nn::TransformerEncoderLayer(8, 2, {.dim_feedforward = 12, .batch_first = true, .norm_first = true}), 2,
      nn::LayerNorm(8)};
  nn::Linear fc{8, 3};
  TEFF_MODULE(CausalNet, encoder, fc)

  Tensor forward(const Tensor& x) override { return fc(encoder(x, {.is_causal = true})); }
};

struct CellNet : nn::Module {
  nn::GRUCell cell{4, 5};
  TEFF_MODULE(CellNet, cell)

  Tensor forward(const Tensor& x) override {
    Tensor h;
    for (std::int64_t step = 0; step < 3; ++step) h = cell(x, h);
    return h;
  }
};

/// The captured network, after a file, gives the network's bits, in a session too, at other sizes.
void check_everywhere(nn::Module& net, const Tensor& example, const std::vector<Tensor>& others) {
  net.eval();
  const testing::TempFile file;
  save_model(net, example, file);
  nn::GraphModule loaded = load_model(file);
  loaded.eval();
  CHECK(printed(loaded) == printed(net));
  const NoGradGuard no_grad;
  for (const Tensor& x : others) {
    INFO("input ", x.shape());
    const Tensor expected = net(x);
    CHECK(same_bits(loaded(x), expected));
    nn::InferenceSession session(loaded, {x.shape()});
    CHECK(same_bits(session.run(x), expected));
  }
}

Tensor word_indices(const Shape& shape) {
  Tensor indices = empty(shape, {.dtype = DType::int64});
  std::int64_t next = 3;
  for (std::int64_t& index : indices.span<std::int64_t>()) index = (next = next * 7 % 11);
  return indices;
}

nn::GraphModule streaming_model(nn::LSTM& lstm, std::int64_t steps) {
  const std::vector<Tensor> example{randn({steps, 2, 3}), randn({2, 2, 5}), randn({2, 2, 5})};
  nn::GraphModule model = nn::capture(lstm, example);
  model.rename_ports(std::vector<std::string>{"x", "h", "c"}, std::vector<std::string>{"y", "h_n", "c_n"});
  model.eval();
  return model;
}

const nn::InferenceOptions kStreaming{.states = {{"h", "h_n"}, {"c", "c_n"}}};

}  // namespace

TEST_CASE("a network that uses a recurrent layer and its state is captured for any batch and length") {
  manual_seed(1);
  WordNet net;
  check_everywhere(net, word_indices({2, 7}), {word_indices({2, 7}), word_indices({1, 4}), word_indices({5, 9})});
}

TEST_CASE("a causal transformer is captured for any batch and length") {
  manual_seed(2);
  CausalNet net;
  check_everywhere(net, randn({2, 6, 8}), {randn({2, 6, 8}), randn({1, 3, 8}), randn({3, 11, 8})});
}

TEST_CASE("a network of cells, and a layer by itself, are captured") {
  manual_seed(3);
  CellNet net;
  check_everywhere(net, randn({2, 4}), {randn({5, 4})});
  nn::GRU gru(3, 4);
  nn::Sequential chain{gru, nn::Linear(4, 2)};
  check_everywhere(chain, randn({6, 2, 3}), {randn({4, 3, 3})});
}

TEST_CASE("a loaded recurrent network trains like the original") {
  manual_seed(4);
  WordNet net;
  const Tensor x = word_indices({3, 7});
  const nn::GraphModule captured = nn::capture(net, x);
  nn::GraphModule copy = captured.clone();
  for (nn::Module* module : {static_cast<nn::Module*>(&net), static_cast<nn::Module*>(&copy)}) {
    module->train();
    manual_seed(5);
    (*module)(x).sum().backward();
  }
  const NamedTensors expected = net.named_parameters(), actual = copy.named_parameters();
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    INFO(expected[i].first);
    CHECK(same_bits(actual[i].second.grad(), expected[i].second.grad()));
  }
}

TEST_CASE("a session keeps the state from run to run: pieces of a sequence give the bits of the whole") {
  manual_seed(6);
  nn::LSTM lstm(3, 5, {.num_layers = 2});
  nn::GraphModule model = streaming_model(lstm, 4);
  const Tensor x = randn({12, 2, 3});
  const NoGradGuard no_grad;
  const auto [whole, last] = lstm(x);
  nn::InferenceSession session(model, {{4, 2, 3}, {2, 2, 5}, {2, 2, 5}}, kStreaming);
  for (int turn = 0; turn < 2; ++turn) {
    for (std::int64_t begin = 0; begin < 12; begin += 4) {
      const std::span<const Tensor> outputs = session.run({x.slice(0, begin, begin + 4)});
      CHECK(same_bits(outputs[0], whole.slice(0, begin, begin + 4)));
    }
    CHECK(same_bits(session.state()[0], last.h));
    CHECK(same_bits(session.state()[1], last.c));
    session.reset_state();
  }
  CHECK(same_bits(session.state()[0], zeros({2, 2, 5})));
}

TEST_CASE("a copy of a session goes on from the same state, by itself; a state may be set") {
  manual_seed(7);
  nn::LSTM lstm(3, 5, {.num_layers = 2});
  nn::GraphModule model = streaming_model(lstm, 2);
  const Tensor x = randn({2, 2, 3}), other = randn({2, 2, 3});
  nn::InferenceSession one(model, {{2, 2, 3}, {2, 2, 5}, {2, 2, 5}}, kStreaming);
  one.run({x});
  const std::vector<Tensor> kept = one.state();
  nn::InferenceSession two = one;
  const Tensor expected = one.run({other})[0].clone();
  CHECK(same_bits(two.run({other})[0], expected));
  one.set_state(kept);
  CHECK(same_bits(one.run({other})[0], expected));
  CHECK(error_of<ShapeError>([&] { one.set_state({}); }) == "InferenceSession: expected 2 states, got 0");
  CHECK(error_of<ShapeError>([&] {
          one.set_state(std::vector<Tensor>{kept[0], zeros({2, 5})});
        }) == "InferenceSession: expected a state float32 [2, 2, 5], as the session was made for, got float32 [2, 5]");
  CHECK(error_of<ShapeError>([&] { one.run({x, kept[0], kept[1]}); }) == "InferenceSession: expected 1 inputs, got 3");
}

TEST_CASE("a state must name an input and an output of one type, each input once") {
  manual_seed(8);
  nn::LSTM lstm(3, 5, {.num_layers = 2});
  nn::GraphModule model = streaming_model(lstm, 2);
  const auto refusal = [&](std::vector<nn::CarriedState> states) {
    return error_of<Error>([&] {
      nn::InferenceSession(model, {{2, 2, 3}, {2, 2, 5}, {2, 2, 5}}, {.states = std::move(states)});
    });
  };
  CHECK(refusal({{"hidden", "h_n"}}) ==
        "InferenceSession: expected a state by the name of an input, one of x, h, c, got hidden");
  CHECK(refusal({{"h", "h"}}) ==
        "InferenceSession: expected a state by the name of an output, one of y, h_n, c_n, got h");
  CHECK(refusal({{"h", "h_n"}, {"h", "c_n"}}) == "InferenceSession: expected one state for the input h, got two");
  CHECK(refusal({{"x", "h_n"}}) ==
        "InferenceSession: expected a state like its output h_n, float32 [2, 2, 5], as the session was made for, got "
        "float32 [2, 2, 3]");
}

TEST_CASE("recurrent layers and attention refuse inputs that do not fit by their names") {
  nn::LSTM lstm(3, 5, {.num_layers = 2, .bidirectional = true});
  CHECK(error_of<ShapeError>([&] {
          lstm(zeros({4, 2, 2}));
        }) == "LSTM: expected input [T, N, 3] or [T, 3], got float32 [4, 2, 2]");
  CHECK(error_of<ShapeError>([&] {
          lstm(zeros({4, 2, 3}), {zeros({2, 2, 5}), zeros({2, 2, 5})});
        }) == "LSTM: expected a state [4, N, ...], got float32 [2, 2, 5]");
  CHECK(error_of<Error>([&] {
          lstm.forward_many(std::vector<Tensor>{zeros({4, 2, 3}), zeros({4, 2, 5})});
        }) == "LSTM: expected 1 input, or 3 with the state, got 2");
  CHECK(error_of<ValueError>([] { nn::LSTM(3, 5, {.proj_size = 5}); }) ==
        "LSTM: expected proj_size in [0, hidden_size), got 5");
  CHECK(error_of<ValueError>([] { nn::GRU(3, 5, {.num_layers = 0}); }) == "GRU: expected num_layers >= 1, got 0");
  CHECK(error_of<ValueError>([] { nn::RNN(3, 5, {.dropout = 1.5}); }) == "RNN: expected dropout in [0, 1], got 1.5");
  nn::GRUCell cell(3, 5);
  CHECK(error_of<ShapeError>([&] {
          cell(zeros({1, 2, 3}));
        }) == "GRUCell: expected input [N, 3] or [3], got float32 [1, 2, 3]");
  CHECK(error_of<ValueError>([] { nn::MultiheadAttention(5, 2); }) ==
        "MultiheadAttention: expected embed_dim divisible by groups, got 5 and 2");
  nn::MultiheadAttention attention(4, 2);
  const Tensor x = zeros({3, 1, 4});
  CHECK(
      error_of<ShapeError>([&] {
        attention(x, zeros({3, 1, 5}), x);
      }) ==
      "MultiheadAttention: expected query [..., 4], key [..., 4], value [..., 4], all of 3 dimensions, or of 2 without "
      "a batch, got query float32 [3, 1, 4], key float32 [3, 1, 5], value float32 [3, 1, 4]");
  CHECK(
      error_of<ValueError>([&] { attention(x, x, x, {.is_causal = true}); }) ==
      "MultiheadAttention: expected is_causal with need_weights = false, got true; or say what is causal by attn_mask");
}

TEST_CASE("a causal mask as a tensor says what is_causal says") {
  manual_seed(9);
  nn::TransformerEncoderLayer layer(8, 2, {.dim_feedforward = 12, .dropout = 0});
  const Tensor x = randn({5, 2, 8});
  const Tensor mask = nn::Transformer::generate_square_subsequent_mask(5);
  CHECK(same_bits(layer(x, {.mask = mask}), layer(x, {.is_causal = true})));
}

}  // namespace teff::nn_testing
