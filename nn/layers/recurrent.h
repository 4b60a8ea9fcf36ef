// SPDX-License-Identifier: MIT
#pragma once

// Recurrent layers and their cells. A call gives the output and the state, and may take a state:
//
//   nn::LSTM lstm{10, 20, {.num_layers = 2}};
//   auto [output, state] = lstm(x);                 // from a state of zeros
//   auto [more, last] = lstm(next_x, state);        // state.h, state.c
//   auto [padded, ends] = lstm(x, {}, lengths);     // rows of several lengths, for pack_padded_sequence of Python
//
// A network may use a layer in any forward; it is captured, saved and run as any other. By itself, or in a
// nn::Sequential, its forward gives the output alone; captured by itself it takes {x, h, c} or {x}, and gives
// {output, h, c}. A session that goes on where it stopped: nn/graph/inference_session.h.

#include <cstdint>
#include <string>
#include <vector>

#include "teff/engine/recurrent.h"
#include "teff/nn/module.h"

namespace TEFF_EXPORT teff {
namespace nn {

/// The weights of one layer in one direction (see teff::RecurrentWeights), all uniform on [-b, b] at first with
/// b = 1 / sqrt(hidden_size). In state dicts weight_ih_l0, ..., weight_hh_l1_reverse, ...
struct RecurrentParameters {
  Parameter weight_ih, weight_hh;
  Parameter bias_ih, bias_hh;  // undefined without bias
  Parameter weight_hr;         // undefined without projection
};

struct RNNResult {
  Tensor output;  // of the last layer, of all steps
  Tensor h;       // after the last step, of all layers
};

/// Base of RNN, LSTM and GRU. Shapes, with D = 2 if bidirectional, else 1, and R = hidden_size, or proj_size if there
/// is one: input [T, N, input_size], or [N, T, input_size] if batch_first -> output [T, N, D R], or [N, T, D R]; h
/// [num_layers D, N, R], c [num_layers D, N, hidden_size]: layer after layer, forwards before backwards. Without N (an
/// input of two dimensions) N is left out everywhere. A layer after the first has the output of the one before as its
/// input, in training with dropout.
class RNNBase : public Module {
 public:
  std::vector<RecurrentParameters> layers;  // num_layers D

  /// The output alone.
  Tensor forward(const Tensor& input) override;
  /// {input} or {input, h} and, of an LSTM, c -> {output, h} and, of an LSTM, c.
  std::vector<Tensor> forward_many(std::span<const Tensor> inputs) override;
  std::string extra_repr() const override;
  void visit_members(MemberVisitor& visitor) override;

 protected:
  struct Options {
    RecurrentCell cell;
    std::int64_t input_size, hidden_size, num_layers;
    bool bias, batch_first;
    double dropout;
    bool bidirectional;
    std::int64_t proj_size;
  };
  /// @throws ValueError for sizes below 1, dropout outside [0, 1], or a proj_size that is not below hidden_size.
  RNNBase(const char* type, const Options& options);

  RecurrentResult run(const Tensor& input, const RecurrentState& state, const Tensor& lengths);

 private:
  void check(const Tensor& input, const RecurrentState& state) const;
  RecurrentResult run_layers(Tensor x, const RecurrentState& state, const Tensor& lengths);

  Options options_;
};

enum class RNNNonlinearity { tanh, relu };

struct RNNOptions {
  Integer num_layers = 1;
  RNNNonlinearity nonlinearity = RNNNonlinearity::tanh;
  bool bias = true;
  bool batch_first = false;
  double dropout = 0;
  bool bidirectional = false;
};

/// Layers of RecurrentCell::rnn_tanh, or rnn_relu (Elman, 1990).
class RNN : public RNNBase {
 public:
  RNN(Integer input_size, Integer hidden_size, const RNNOptions& options = {});
  TEFF_MODULE(RNN)
  /// From the state h, or from zeros. Rows of the batch may end before the last step: `lengths`, int64 [N].
  /// @throws ShapeError, TypeError; ValueError for lengths outside [1, T].
  RNNResult operator()(const Tensor& input, const Tensor& h = {}, const Tensor& lengths = {});
};

struct LSTMOptions {
  Integer num_layers = 1;
  bool bias = true;
  bool batch_first = false;
  double dropout = 0;
  bool bidirectional = false;
  Integer proj_size = 0;  // of h; 0: hidden_size
};

/// Layers of RecurrentCell::lstm.
class LSTM : public RNNBase {
 public:
  LSTM(Integer input_size, Integer hidden_size, const LSTMOptions& options = {});
  TEFF_MODULE(LSTM)
  /// As RNN's, with a state of h and c.
  RecurrentResult operator()(const Tensor& input, const RecurrentState& state = {}, const Tensor& lengths = {});
};

struct GRUOptions {
  Integer num_layers = 1;
  bool bias = true;
  bool batch_first = false;
  double dropout = 0;
  bool bidirectional = false;
};

/// Layers of RecurrentCell::gru.
class GRU : public RNNBase {
 public:
  GRU(Integer input_size, Integer hidden_size, const GRUOptions& options = {});
  TEFF_MODULE(GRU)
  /// As RNN's.
  RNNResult operator()(const Tensor& input, const Tensor& h = {}, const Tensor& lengths = {});
};

/// Base of the cells, which do one step: input [N, input_size], h and c [N, hidden_size], or all without N.
class RNNCellBase : public Module {
 public:
  Parameter weight_ih, weight_hh;
  Parameter bias_ih, bias_hh;  // undefined without bias
  TEFF_MODULE(RNNCellBase, weight_ih, weight_hh, bias_ih, bias_hh)

  /// From zeros, h alone.
  Tensor forward(const Tensor& input) override;
  /// {input} or {input, h} and, of an LSTM, c -> {h} and, of an LSTM, c.
  std::vector<Tensor> forward_many(std::span<const Tensor> inputs) override;
  std::string extra_repr() const override;

 protected:
  /// @throws ValueError for sizes below 1.
  RNNCellBase(RecurrentCell cell, std::int64_t input_size, std::int64_t hidden_size, bool bias);

  RecurrentState run(const Tensor& input, const RecurrentState& state);

 private:
  RecurrentCell cell_;
};

struct RNNCellOptions {
  bool bias = true;
  RNNNonlinearity nonlinearity = RNNNonlinearity::tanh;
};

class RNNCell : public RNNCellBase {
 public:
  RNNCell(Integer input_size, Integer hidden_size, const RNNCellOptions& options = {});
  TEFF_MODULE(RNNCell)
  Tensor operator()(const Tensor& input, const Tensor& h = {});
};

struct CellOptions {
  bool bias = true;
};

class LSTMCell : public RNNCellBase {
 public:
  LSTMCell(Integer input_size, Integer hidden_size, const CellOptions& options = {});
  TEFF_MODULE(LSTMCell)
  RecurrentState operator()(const Tensor& input, const RecurrentState& state = {});
};

class GRUCell : public RNNCellBase {
 public:
  GRUCell(Integer input_size, Integer hidden_size, const CellOptions& options = {});
  TEFF_MODULE(GRUCell)
  Tensor operator()(const Tensor& input, const Tensor& h = {});
};

}  // namespace nn
}  // namespace teff
