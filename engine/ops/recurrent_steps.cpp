// SPDX-License-Identifier: MIT
#include "teff/engine/ops/recurrent_steps.h"

#include <algorithm>

#include "teff/engine/build.h"
#include "teff/engine/kernels/elements/elements_kernels.h"
#include "teff/engine/kernels/gemm/gemm_kernels.h"
#include "teff/engine/kernels/isa/workspace.h"
#include "teff/engine/kernels/rows/rows_kernels.h"
#include "teff/engine/parallel.h"

namespace teff::ops {
namespace {

using kernels::Unary;
using std::int64_t;

/// C[m, n] (+)= A[m, k] op(B) + bias, all without gaps but C and A, whose rows may be longer.
template <class T>
void step_product(int64_t m, int64_t n, int64_t k, const T* a, int64_t lda, const T* b, bool transposed, T* c,
                  int64_t ldc, bool accumulate, const T* bias = nullptr) {
  kernels::gemm_kernels<T>().gemm({.m = m,
                                   .n = n,
                                   .k = k,
                                   .a = a,
                                   .lda = lda,
                                   .transpose_a = false,
                                   .b = b,
                                   .ldb = transposed ? k : n,
                                   .transpose_b = transposed,
                                   .c = c,
                                   .ldc = ldc,
                                   .accumulate = accumulate,
                                   .column_bias = bias});
}

/// C[m, n] = A[k, m]^T B[k, n]: the gradient of a weight.
template <class T>
void weight_product(int64_t m, int64_t n, int64_t k, const T* a, const T* b, T* c) {
  kernels::gemm_kernels<T>().gemm({.m = m,
                                   .n = n,
                                   .k = k,
                                   .a = a,
                                   .lda = m,
                                   .transpose_a = true,
                                   .b = b,
                                   .ldb = n,
                                   .transpose_b = false,
                                   .c = c,
                                   .ldc = n});
}

template <class T>
void copy_row(const T* from, int64_t count, T* to) {
  if (from != to) std::copy(from, from + count, to);
}

template <class T>
void copy_row_or_zero(const T* from, int64_t count, T* to) {
  if (from == nullptr) {
    std::fill(to, to + count, T(0));
  } else {
    copy_row(from, count, to);
  }
}

/// What forward and backward share: where things are at a time.
template <class T>
class RecurrentTimes {
 public:
  explicit RecurrentTimes(const RecurrentArrays<T>& arrays) : a(arrays), s(arrays.sizes), m(arrays.memory) {}

 protected:
  int64_t time_of(int64_t step) const { return s.reverse ? s.steps - 1 - step : step; }
  T* before(const PerStep<T>& array, int64_t time) const { return array.at(s.reverse ? time + 1 : time); }
  T* after(const PerStep<T>& array, int64_t time) const { return array.at(s.reverse ? time : time + 1); }
  bool is_active(int64_t row, int64_t time) const { return a.lengths == nullptr || time < a.lengths[row]; }

  /// task(row) for each row of the batch, on several threads if the rows are long.
  template <class Task>
  void each_row(const Task& task) const {
    parallel_ranges(s.batch, std::max<int64_t>(1, 16384 / s.width()), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) task(row);
    });
  }

  const RecurrentArrays<T>& a;
  const RecurrentSizes s;
  const RecurrentMemory<T> m;
};

template <class T>
class RecurrentForward : RecurrentTimes<T> {
  using RecurrentTimes<T>::a, RecurrentTimes<T>::s, RecurrentTimes<T>::m, RecurrentTimes<T>::before,
      RecurrentTimes<T>::after;

 public:
  explicit RecurrentForward(const RecurrentArrays<T>& arrays) : RecurrentTimes<T>(arrays) {}

  void run(T* output, T* h_n, T* c_n) {
    output_ = output;
    copy_row_or_zero(a.h, s.batch * s.state, before(m.states, this->time_of(0)));
    if (s.is_lstm()) copy_row_or_zero(a.c, s.batch * s.hidden, before(m.cells, this->time_of(0)));
    for (int64_t begin = 0; begin < s.steps; begin += m.gate_steps) {
      const int64_t end = std::min(s.steps, begin + m.gate_steps);
      first_ = std::min(this->time_of(begin), this->time_of(end - 1));
      step_product(s.batch * (end - begin), s.width(), s.input, a.x + first_ * s.batch * s.input, s.input, a.weight_ih,
                   true, m.gates.data, s.width(), false, a.bias_ih);
      for (int64_t step = begin; step < end; ++step) take_step(this->time_of(step));
    }
    const int64_t last = this->time_of(s.steps - 1);
    copy_row(after(m.states, last), s.batch * s.state, h_n);
    if (s.is_lstm()) copy_row(after(m.cells, last), s.batch * s.hidden, c_n);
  }

 private:
  void take_step(int64_t time) {
    T* const gates = m.gates.at(time - first_);
    const T* const h = before(m.states, time);
    const int64_t added = s.is_gru() ? 2 * s.hidden : s.width();  // gates to which both products add
    step_product(s.batch, added, s.state, h, s.state, a.weight_hh, true, gates, s.width(), true, a.bias_hh);
    if (s.is_gru()) {
      const T* const bias = a.bias_hh == nullptr ? nullptr : a.bias_hh + added;
      step_product(s.batch, s.hidden, s.state, h, s.state, a.weight_hh + added * s.state, true, m.inner.at(time),
                   s.hidden, false, bias);
    }
    T* const y = output_ + time * s.batch * s.state;
    T* const result = a.weight_hr != nullptr ? m.projected.at(time) : y;
    this->each_row([&](int64_t row) {
      compute(time, row, gates + row * s.width(), result + row * s.hidden);
      if (a.weight_hr == nullptr) finish(time, row, y + row * s.state);
    });
    if (a.weight_hr == nullptr) return;
    step_product(s.batch, s.state, s.hidden, result, s.hidden, a.weight_hr, true, y, s.state, false);
    for (int64_t row = 0; row < s.batch; ++row) finish(time, row, y + row * s.state);
  }

  /// h' from the sums of the gates.
  void compute(int64_t time, int64_t row, T* gates, T* result) const {
    const int64_t n = s.hidden, place = row * n;
    if (!this->is_active(row, time)) {
      if (s.is_lstm()) copy_row(before(m.cells, time) + place, n, after(m.cells, time) + place);
      if (a.weight_hr != nullptr) std::fill(result, result + n, T(0));
      return;
    }
    const auto& elements = kernels::elementwise_kernels<T>();
    const auto function = [&](Unary op, int64_t count, const T* x, T* y) { elements.unary(op, count, 0, 0, x, y); };
    switch (s.cell) {
      case RecurrentCell::rnn_tanh:
      case RecurrentCell::rnn_relu:
        function(s.cell == RecurrentCell::rnn_tanh ? Unary::tanh : Unary::relu, n, gates, gates);
        return copy_row(gates, n, result);
      case RecurrentCell::lstm: {
        function(Unary::sigmoid, 2 * n, gates, gates);
        function(Unary::tanh, n, gates + 2 * n, gates + 2 * n);
        function(Unary::sigmoid, n, gates + 3 * n, gates + 3 * n);
        const T* const c = before(m.cells, time) + place;
        T *const next = after(m.cells, time) + place, *const inner = m.inner.at(time) + place;
        for (int64_t i = 0; i < n; ++i) next[i] = gates[n + i] * c[i] + gates[i] * gates[2 * n + i];
        function(Unary::tanh, n, next, inner);
        for (int64_t i = 0; i < n; ++i) result[i] = gates[3 * n + i] * inner[i];
        return;
      }
      case RecurrentCell::gru: {
        function(Unary::sigmoid, 2 * n, gates, gates);
        const T *const h = before(m.states, time) + place, *const inner = m.inner.at(time) + place;
        for (int64_t i = 0; i < n; ++i) gates[2 * n + i] += gates[i] * inner[i];
        function(Unary::tanh, n, gates + 2 * n, gates + 2 * n);
        for (int64_t i = 0; i < n; ++i) result[i] = gates[2 * n + i] + gates[n + i] * (h[i] - gates[2 * n + i]);
        return;
      }
    }
  }

  /// The row's h' goes on to the next step; a row that has ended keeps its state, and gives 0.
  void finish(int64_t time, int64_t row, T* y) const {
    const T* const h = before(m.states, time) + row * s.state;
    T* const next = after(m.states, time) + row * s.state;
    if (this->is_active(row, time)) return copy_row(y, s.state, next);
    copy_row(h, s.state, next);
    std::fill(y, y + s.state, T(0));
  }

  T* output_ = nullptr;
  int64_t first_ = 0;  // the time at which the gates begin
};

/// With dG, the gradients of the sums of the gates, of all steps (dG' where V h + d gets others: the n of a gru):
///   dx = dG W, dW = dG^T x, db = sum(dG), dV = dG'^T h, dd = sum(dG'), dP = dh'^T (o * tanh(c'))
/// each in one go; from step to step go dh = dG' V and dc.
template <class T>
class RecurrentBackward : RecurrentTimes<T> {
  using RecurrentTimes<T>::a, RecurrentTimes<T>::s, RecurrentTimes<T>::m, RecurrentTimes<T>::before,
      RecurrentTimes<T>::after;

 public:
  RecurrentBackward(const RecurrentArrays<T>& arrays, const RecurrentGradients<T>& grads)
      : RecurrentTimes<T>(arrays),
        grads_(grads),
        rows_(s.steps * s.batch),
        gates_(count({rows_, s.width()})),
        hidden_gates_(s.is_gru() ? count({rows_, s.width()}) : 0),
        h_(count({s.batch, s.state})),
        c_(count({s.batch, s.hidden})),
        projection_(a.weight_hr != nullptr ? count({rows_, s.state}) : 0),
        unprojected_(count({s.batch, s.hidden})) {}

  void run() {
    copy_row_or_zero(grads_.h_n, s.batch * s.state, h_.data());
    copy_row_or_zero(s.is_lstm() ? grads_.c_n : nullptr, s.batch * s.hidden, c_.data());
    for (int64_t step = s.steps; step-- > 0;) step_back(this->time_of(step));
    if (grads_.h != nullptr) copy_row(h_.data(), s.batch * s.state, grads_.h);
    if (grads_.c != nullptr) copy_row(c_.data(), s.batch * s.hidden, grads_.c);
    const T* const states = before(m.states, 0);
    const int64_t width = s.width();
    if (grads_.x != nullptr) {
      step_product(rows_, s.input, width, gates_.data(), width, a.weight_ih, false, grads_.x, s.input, false);
    }
    if (grads_.weight_ih != nullptr) {
      weight_product(width, s.input, rows_, gates_.data(), a.x, grads_.weight_ih);
    }
    if (grads_.weight_hh != nullptr) {
      weight_product(width, s.state, rows_, hidden_gates(), states, grads_.weight_hh);
    }
    if (grads_.weight_hr != nullptr) {
      weight_product(s.state, s.hidden, rows_, projection_.data(), m.projected.data, grads_.weight_hr);
    }
    const auto& reduce = kernels::reduce_kernels<T>();
    if (grads_.bias_ih != nullptr) reduce.sum(1, rows_, width, gates_.data(), grads_.bias_ih);
    if (grads_.bias_hh != nullptr) reduce.sum(1, rows_, width, hidden_gates(), grads_.bias_hh);
  }

 private:
  static std::size_t count(std::initializer_list<int64_t> sizes) {
    return static_cast<std::size_t>(kernels::scratch_size(sizes));
  }
  T* hidden_gates() { return s.is_gru() ? hidden_gates_.data() : gates_.data(); }

  void step_back(int64_t time) {
    const int64_t place = time * s.batch;
    T* const total = a.weight_hr != nullptr ? projection_.data() + place * s.state : h_.data();
    for (int64_t row = 0; row < s.batch; ++row) add_output(time, row, total + row * s.state);
    if (a.weight_hr != nullptr) {
      step_product(s.batch, s.hidden, s.state, total, s.state, a.weight_hr, false, unprojected_.data(), s.hidden,
                   false);
    }
    T *const gates = gates_.data() + place * s.width(), *const hidden = hidden_gates() + place * s.width();
    this->each_row([&](int64_t row) { derive(time, row, gates + row * s.width(), hidden + row * s.width()); });
    step_product(s.batch, s.state, s.width(), hidden, s.width(), a.weight_hh, false, h_.data(), s.state, true);
  }

  /// dh' of the row, which is what came back from the next step and what came to the output; 0 where it has ended.
  void add_output(int64_t time, int64_t row, T* total) {
    const T* const carried = h_.data() + row * s.state;
    if (!this->is_active(row, time)) {
      if (total != carried) std::fill(total, total + s.state, T(0));
      return;
    }
    copy_row(carried, s.state, total);
    if (grads_.output == nullptr) return;
    const T* const grad = grads_.output + (time * s.batch + row) * s.state;
    for (int64_t i = 0; i < s.state; ++i) total[i] += grad[i];
  }

  /// dG and dG' of the row; h_ and c_ become what goes to the step before, but for dG' V.
  void derive(int64_t time, int64_t row, T* d_gates, T* d_hidden) {
    const int64_t n = s.hidden, place = row * n;
    if (!this->is_active(row, time)) {
      std::fill(d_gates, d_gates + s.width(), T(0));
      std::fill(d_hidden, d_hidden + s.width(), T(0));
      return;
    }
    const T* const gates = m.gates.at(time) + row * s.width();
    T* const dh = h_.data() + row * s.state;
    if (s.is_lstm()) {
      const T* const grad = a.weight_hr != nullptr ? unprojected_.data() + place : dh;
      derive_lstm(n, gates, before(m.cells, time) + place, m.inner.at(time) + place, grad, c_.data() + place, d_gates);
      std::fill(dh, dh + s.state, T(0));
    } else if (s.is_gru()) {
      derive_gru(n, gates, before(m.states, time) + place, m.inner.at(time) + place, dh, d_gates, d_hidden);
    } else {
      const bool tanh = s.cell == RecurrentCell::rnn_tanh;
      for (int64_t i = 0; i < n; ++i) {
        const T h = gates[i];
        d_gates[i] = tanh ? dh[i] * (1 - h * h) : h <= 0 ? T(0) : dh[i];
      }
      std::fill(dh, dh + n, T(0));
    }
  }

  static void derive_lstm(int64_t n, const T* gates, const T* c, const T* inner, const T* dh, T* dc, T* d_gates) {
    for (int64_t k = 0; k < n; ++k) {
      const T i = gates[k], f = gates[n + k], g = gates[2 * n + k], o = gates[3 * n + k], t = inner[k];
      const T d = dc[k] + dh[k] * o * (1 - t * t);
      d_gates[k] = d * g * i * (1 - i);
      d_gates[n + k] = d * c[k] * f * (1 - f);
      d_gates[2 * n + k] = d * i * (1 - g * g);
      d_gates[3 * n + k] = dh[k] * t * o * (1 - o);
      dc[k] = d * f;
    }
  }

  static void derive_gru(int64_t n, const T* gates, const T* h, const T* inner, T* dh, T* d_gates, T* d_hidden) {
    for (int64_t k = 0; k < n; ++k) {
      const T r = gates[k], z = gates[n + k], c = gates[2 * n + k], d = dh[k];
      const T dn = d * (1 - z) * (1 - c * c), dr = dn * inner[k] * r * (1 - r), dz = d * (h[k] - c) * z * (1 - z);
      d_gates[k] = d_hidden[k] = dr;
      d_gates[n + k] = d_hidden[n + k] = dz;
      d_gates[2 * n + k] = dn;
      d_hidden[2 * n + k] = dn * r;
      dh[k] = d * z;
    }
  }

  const RecurrentGradients<T>& grads_;
  const int64_t rows_;
  kernels::Workspace<T> gates_, hidden_gates_, h_, c_, projection_, unprojected_;
};

}  // namespace

template <class T>
void recurrent_forward(const RecurrentArrays<T>& arrays, T* output, T* h_n, T* c_n) {
  RecurrentForward<T>(arrays).run(output, h_n, c_n);
}

template <class T>
void recurrent_backward(const RecurrentArrays<T>& arrays, const RecurrentGradients<T>& grads) {
  if constexpr (kHasTraining) RecurrentBackward<T>(arrays, grads).run();
}

template void recurrent_forward(const RecurrentArrays<float>&, float*, float*, float*);
template void recurrent_backward(const RecurrentArrays<float>&, const RecurrentGradients<float>&);
TEFF_IF_FLOAT64(template void recurrent_forward(const RecurrentArrays<double>&, double*, double*, double*);
                template void recurrent_backward(const RecurrentArrays<double>&, const RecurrentGradients<double>&);)

}  // namespace teff::ops
