// SPDX-License-Identifier: MIT
#pragma once

// Private: what the op recurrent_layer computes.

#include <cstdint>

#include "teff/engine/recurrent.h"

namespace teff::ops {

/// Sizes of a call. "state" is what h has: hidden, or what it is projected to.
struct RecurrentSizes {
  RecurrentCell cell;
  bool reverse;
  std::int64_t steps, batch, input, hidden, state;

  bool is_lstm() const { return cell == RecurrentCell::lstm; }
  bool is_gru() const { return cell == RecurrentCell::gru; }
  std::int64_t width() const { return gate_count(cell) * hidden; }  // of all gates
};

/// An array for each time; stride 0: one for all, which only the next step reads.
template <class T>
struct PerStep {
  T* data = nullptr;
  std::int64_t stride = 0;
  T* at(std::int64_t time) const { return data + time * stride; }
};

/// What forward writes, for backward (every array has a stride, and gate_steps is all steps) or for itself. Where there
/// are before and after, an array has one step more: it is the state before time t, in reverse the state after it.
template <class T>
struct RecurrentMemory {
  std::int64_t gate_steps;  // of which gates has room, at least 1
  PerStep<T> gates;         // [batch, width], after the functions of the gates
  PerStep<T> states;        // [batch, state], one more: h
  PerStep<T> cells;         // [batch, hidden], one more, lstm: c
  PerStep<T> inner;         // [batch, hidden], lstm: tanh(c'); gru: V h + d of n
  PerStep<T> projected;     // [batch, hidden], with a projection: o * tanh(c')
};

template <class T>
struct RecurrentArrays {
  RecurrentSizes sizes;
  const T *x, *weight_ih, *weight_hh;
  const T *bias_ih, *bias_hh, *weight_hr;  // or null
  const T *h, *c;                          // before the first step; or null: zeros
  const std::int64_t* lengths;             // or null
  RecurrentMemory<T> memory;
};

/// Writes all results; c_n of an lstm only.
template <class T>
void recurrent_forward(const RecurrentArrays<T>& arrays, T* output, T* h_n, T* c_n);

/// Gradients that came, each or null, and those that are asked for, each or null.
template <class T>
struct RecurrentGradients {
  const T *output, *h_n, *c_n;
  T *x, *weight_ih, *weight_hh, *bias_ih, *bias_hh, *weight_hr, *h, *c;
};
template <class T>
void recurrent_backward(const RecurrentArrays<T>& arrays, const RecurrentGradients<T>& grads);

}  // namespace teff::ops
