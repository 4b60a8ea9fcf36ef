// SPDX-License-Identifier: MIT
#include "teff/engine/kernels/functions.h"

namespace teff::kernels::TEFF_ISA {
namespace {

template <class T>
constexpr Table<T> make_table() {
  return {.gemm = gemm<T>,
          .conv2d = conv2d<T>,
          .conv2d_packed_size = conv2d_packed_size<T>,
          .conv2d_pack = conv2d_pack<T>,
          .conv2d_packed = conv2d_packed<T>,
          .conv2d_backward_input = conv2d_backward_input<T>,
          .conv2d_backward_weight = conv2d_backward_weight<T>,
          .sum_per_channel = sum_per_channel<T>,
          .max_pool2d = max_pool2d<T>,
          .max_pool2d_backward = max_pool2d_backward<T>,
          .max_pool2d_tiles_backward = max_pool2d_tiles_backward<T>,
          .avg_pool2d = avg_pool2d<T>,
          .avg_pool2d_backward = avg_pool2d_backward<T>,
          .adaptive_avg_pool2d = adaptive_avg_pool2d<T>,
          .adaptive_avg_pool2d_backward = adaptive_avg_pool2d_backward<T>,
          .adaptive_max_pool2d = adaptive_max_pool2d<T>,
          .resize2d = resize2d<T>,
          .resize2d_backward = resize2d_backward<T>,
          .unary = unary<T>,
          .unary_backward = unary_backward<T>,
          .activation = activation<T>,
          .activation_backward = activation_backward<T>,
          .binary = binary<T>,
          .axpy = axpy<T>,
          .sum = sum<T>,
          .max = max<T>,
          .min = min<T>,
          .argmax = argmax<T>,
          .softmax = softmax<T>,
          .log_softmax = log_softmax<T>,
          .softmax_backward = softmax_backward<T>,
          .log_softmax_backward = log_softmax_backward<T>,
          .batch_norm_statistics = batch_norm_statistics<T>,
          .batch_norm = batch_norm<T>,
          .batch_norm_backward = batch_norm_backward<T>,
          .group_norm = group_norm<T>,
          .group_norm_backward = group_norm_backward<T>,
          .pair_loss = pair_loss<T>,
          .pair_loss_backward = pair_loss_backward<T>,
          .sgd_step = sgd_step<T>,
          .adam_step = adam_step<T>,
          .rmsprop_step = rmsprop_step<T>,
          .adagrad_step = adagrad_step<T>};
}

}  // namespace

// Constants that dispatch.cpp may read before any constructor has run.
extern constinit const Table<float> float_table = make_table<float>();
extern constinit const Table<double> double_table = make_table<double>();

}  // namespace teff::kernels::TEFF_ISA
