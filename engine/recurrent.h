// SPDX-License-Identifier: MIT
#pragma once

// Recurrent layers over a sequence, in one direction. nn/layers/recurrent.h stacks them.

#include <string_view>

#include "teff/engine/tensor.h"

namespace TEFF_EXPORT teff {

/// What a step does with its input x and the state before, h and (of an LSTM) c; s is the sigmoid function, * goes
/// element by element:
///
///   rnn_tanh, rnn_relu   h' = f(W x + b + V h + d) with f = tanh or relu
///   lstm                 i, f, o = s(W x + b + V h + d), g = tanh(the same), each with rows of its own, in the order
///                        i, f, g, o; c' = f * c + i * g, h' = o * tanh(c'), or P (o * tanh(c')) with a projection P
///                        (Hochreiter and Schmidhuber, 1997; Sak et al., 2014)
///   gru                  r, z = s(W x + b + V h + d), n = tanh(W x + b + r * (V h + d)), in this order;
///                        h' = (1 - z) * n + z * h (Cho et al., 2014)
enum class RecurrentCell { rnn_tanh, rnn_relu, lstm, gru };
std::string_view to_string(RecurrentCell cell);
void from_string(std::string_view name, RecurrentCell& cell);

/// The gates of a cell, each of `hidden` rows: 1, 4 (lstm) or 3 (gru).
std::int64_t gate_count(RecurrentCell cell);

struct RecurrentWeights {
  Tensor weight_ih;         // W [gates * hidden, input]
  Tensor weight_hh;         // V [gates * hidden, state], where state is hidden, or the rows of weight_hr
  Tensor bias_ih, bias_hh;  // b, d [gates * hidden]; both or none
  Tensor weight_hr;         // P [state, hidden], of an lstm; or undefined
};

struct RecurrentState {
  Tensor h;  // [N, state]
  Tensor c;  // [N, hidden], of an lstm; else undefined
};

struct RecurrentLayerOptions {
  RecurrentCell cell = RecurrentCell::lstm;
  bool reverse = false;  // from the last step to the first
  Tensor lengths = {};   // int64 [N], each from 1 to T: the steps of each row of the batch; undefined: all have T
};

struct RecurrentResult {
  Tensor output;         // [T, N, state]: h' of each step; 0 beyond a row's length
  RecurrentState state;  // after the last step of each row
};

/// The layer over x [T, N, input], step by step from `initial`, or from zeros. Rows that are shorter than T give what
/// they would give alone: what is beyond their length has no effect, if it is finite. The product of all inputs and W
/// is one; a step is one of the state and V. Splitting a sequence, and going on from the state, gives the same bits for
/// pieces of at least two steps.
/// @throws ShapeError, TypeError; ValueError for lengths outside [1, T].
RecurrentResult recurrent_layer(const Tensor& x, const RecurrentWeights& weights, const RecurrentState& initial = {},
                                const RecurrentLayerOptions& options = {});

}  // namespace teff
