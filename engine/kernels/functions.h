// SPDX-License-Identifier: MIT
#pragma once

// Every kernel of Table<T>, as the sources of this folder define it in the namespace of their instruction set
// and instantiate it for float and double. kernels.h says what each does.

#include <cstdint>

#include "teff/engine/kernels/kernels.h"

namespace teff::kernels::TEFF_ISA {

// gemm.cpp
template <class T>
void gemm(const Gemm<T>&);

// conv2d.cpp
template <class T>
void conv2d(const Window2d&, const T* input, const T* weight, const T* bias, const Clamp<T>&, T* output);
template <class T>
int64_t conv2d_packed_size(const Window2d&);
template <class T>
void conv2d_pack(const Window2d&, const T* weight, T* packed);
template <class T>
void conv2d_packed(const Window2d&, const T* input, const T* packed, const T* bias, const Clamp<T>&, T* output);

// conv2d_input.cpp
template <class T>
void conv2d_backward_input(const Window2d&, const T* grad_output, const T* weight, T* grad_input);

// conv2d_weight.cpp
template <class T>
void conv2d_backward_weight(const Window2d&, const T* grad_output, const T* input, T* grad_weight);

// pool2d.cpp
template <class T>
void max_pool2d(const Window2d&, const T* input, T* output, int64_t* indices);
template <class T>
void max_pool2d_backward(const Window2d&, const T* grad_output, const int64_t* indices, T* grad_input);
template <class T>
void max_pool2d_tiles_backward(const Window2d&, const T* grad_output, const T* input, T* grad_input);
template <class T>
void avg_pool2d(const Window2d&, bool count_include_pad, int64_t divisor_override, const T* input, T* output);
template <class T>
void avg_pool2d_backward(const Window2d&, bool count_include_pad, int64_t divisor_override, const T* grad_output,
                         T* grad_input);

// adaptive_pool2d.cpp
template <class T>
void adaptive_avg_pool2d(const AdaptivePool2d&, const T* input, T* output);
template <class T>
void adaptive_avg_pool2d_backward(const AdaptivePool2d&, const T* grad_output, T* grad_input);
template <class T>
void adaptive_max_pool2d(const AdaptivePool2d&, const T* input, T* output, int64_t* indices);

// resize2d.cpp
template <class T>
void resize2d(const Resize2d<T>&, const T* input, T* output);
template <class T>
void resize2d_backward(const Resize2d<T>&, const T* grad_output, T* grad_input);

// activation.cpp
template <class T>
void activation(Activation, int64_t n, T a, T b, const T* x, T* y);
template <class T>
void activation_backward(Activation, int64_t n, T a, T b, const T* grad, const T* x, T* grad_x);

// elementwise.cpp
template <class T>
void unary(Unary, int64_t n, T a, T b, const T* x, T* y);
template <class T>
void unary_backward(Unary, int64_t n, T a, T b, const T* grad, const T* x, const T* y, T* grad_x);
template <class T>
void binary(Binary, int64_t n, const T* a, int a_step, const T* b, int b_step, T* out);
template <class T>
void axpy(int64_t n, T alpha, const T* x, T* y);

// reduce.cpp
template <class T>
void sum(int64_t outer, int64_t reduced, int64_t inner, const T* x, T* y);
template <class T>
void sum_per_channel(int64_t batch, int64_t channels, int64_t spatial, const T* x, T* y);
template <class T>
void max(int64_t outer, int64_t reduced, int64_t inner, const T* x, T* y);
template <class T>
void min(int64_t outer, int64_t reduced, int64_t inner, const T* x, T* y);
template <class T>
void argmax(int64_t outer, int64_t reduced, int64_t inner, const T* x, int64_t* y);

// softmax.cpp
template <class T>
void softmax(int64_t outer, int64_t n, int64_t inner, const T* x, T* y);
template <class T>
void log_softmax(int64_t outer, int64_t n, int64_t inner, const T* x, T* y);
template <class T>
void softmax_backward(int64_t outer, int64_t n, int64_t inner, const T* grad, const T* y, T* grad_x);
template <class T>
void log_softmax_backward(int64_t outer, int64_t n, int64_t inner, const T* grad, const T* y, T* grad_x);

// batch_norm.cpp
template <class T>
void batch_norm_statistics(const BatchNorm<T>&, const T* x, T* mean, T* variance);
template <class T>
void batch_norm(const BatchNorm<T>&, const T* x, const T* mean, const T* inverse_std, T* y);
template <class T>
void batch_norm_backward(const BatchNorm<T>&, bool training, const T* grad, const T* x, const T* mean,
                         const T* inverse_std, T* grad_x, T* grad_weight, T* grad_bias);

// group_norm.cpp
template <class T>
void group_norm(const GroupNorm<T>&, double eps, const T* x, T* y, T* mean, T* inverse_std);
template <class T>
void group_norm_backward(const GroupNorm<T>&, const T* grad, const T* x, const T* mean, const T* inverse_std, T* grad_x,
                         T* grad_weight, T* grad_bias);

// pair_loss.cpp
template <class T>
void pair_loss(PairLoss, int64_t n, T parameter, const T* x, const T* target, T* loss);
template <class T>
void pair_loss_backward(PairLoss, int64_t n, T parameter, const T* grad, int grad_step, T scale, const T* x,
                        const T* target, T* grad_x, T* grad_target);

// sgd.cpp
template <class T>
void sgd_step(const SgdStep&, int64_t n, const T* grad, T* momentum_buffer, T* parameter);

// optim/adam.cpp
template <class T>
void adam_step(const AdamStep&, int64_t n, const T* grad, T* exp_avg, T* exp_avg_sq, T* max_exp_avg_sq, T* parameter);
template <class T>
void rmsprop_step(const RmspropStep&, int64_t n, const T* grad, T* square_avg, T* grad_avg, T* momentum_buffer,
                  T* parameter);
template <class T>
void adagrad_step(const AdagradStep&, int64_t n, const T* grad, T* sum, T* parameter);

}  // namespace teff::kernels::TEFF_ISA
