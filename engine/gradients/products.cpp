// SPDX-License-Identifier: MIT
#include "teff/engine/fields.h"
#include "teff/engine/gradients/formulas.h"

namespace teff::gradients {
namespace {

Tensor transposed(const Tensor& matrices) { return transpose(matrices, -2, -1); }

/// C = A B, dA = dC B^T, dB = A^T dC; vectors are matrices of one row (a) or column (b).
TensorList matmul_grads(const RecordedCall& call) {
  const Tensor &a = call.inputs[0], &b = call.inputs[1];
  const Tensor rows = a.dim() == 1 ? unsqueeze(a, 0) : a, columns = b.dim() == 1 ? unsqueeze(b, 1) : b;
  Shape shape = call.grad().shape();
  if (b.dim() == 1) shape.push_back(1);
  if (a.dim() == 1) shape.insert(shape.size() - 1, 1);
  const Tensor grad = view(call.grad(), shape);
  TensorList grads(2);
  if (call.wanted[0]) grads[0] = view(sum_to(matmul(grad, transposed(columns)), rows.shape()), a.shape());
  if (call.wanted[1]) grads[1] = view(sum_to(matmul(transposed(rows), grad), columns.shape()), b.shape());
  return grads;
}

/// Y = X W^T + b, dX = dY W, dW = dY^T X, db = sum over the rows of dY
TensorList linear_grads(const RecordedCall& call) {
  const Tensor &x = call.inputs[0], &weight = call.inputs[1], &grad = call.grad();
  const std::int64_t count = numel(grad.shape()), out = weight.size(0);
  const Tensor rows = view(grad, {out == 0 ? 0 : count / out, out});
  TensorList grads(call.inputs.size());
  if (call.wanted[0]) grads[0] = view(matmul(rows, weight), x.shape());
  if (call.wanted[1]) grads[1] = matmul(transposed(rows), view(x, {rows.size(0), weight.size(1)}));
  if (grads.size() == 3 && call.wanted[2]) grads[2] = sum(rows, 0);
  return grads;
}

/// The gradient of conv2d's weight, from the images x [N, C, H, W] and dY [N, K, Ho, Wo]: a convolution of x with dY as
/// its filters, in which images and channels, stride and dilation change places. -> [K, C / groups, kh, kw]
Tensor weight_grad(const Tensor& x, const Tensor& grad, const Shape& weight, const Conv2dFuncOptions& options) {
  const std::int64_t images = x.size(0), channels = x.size(1) / options.groups;
  const Tensor planes =
      view(permute(view(x, {images, options.groups, channels, x.size(2), x.size(3)}), {2, 1, 0, 3, 4}),
           {channels, options.groups * images, x.size(2), x.size(3)});
  const Tensor result = conv2d(
      planes, transpose(grad, 0, 1), {},
      {.stride = options.dilation, .padding = options.padding, .dilation = options.stride, .groups = options.groups});
  // Where the stride left a rest there are places more than the filters have.
  return transpose(slice(slice(result, 2, 0, weight[2]), 3, 0, weight[3]), 0, 1);
}

/// Rows or columns of the image that no window reached.
std::int64_t rest(std::int64_t size, std::int64_t out, std::int64_t stride, std::int64_t padding, std::int64_t reach) {
  return size - ((out - 1) * stride - 2 * padding + reach + 1);
}

Tensor input_grad(const Tensor& grad, const Tensor& weight, const Shape& x, const Conv2dFuncOptions& options) {
  const Pair missing{rest(x[2], grad.size(2), options.stride.height, options.padding.height,
                          options.dilation.height * (weight.size(2) - 1)),
                     rest(x[3], grad.size(3), options.stride.width, options.padding.width,
                          options.dilation.width * (weight.size(3) - 1))};
  return conv_transpose2d(grad, weight, {},
                          {.stride = options.stride,
                           .padding = options.padding,
                           .output_padding = missing,
                           .groups = options.groups,
                           .dilation = options.dilation});
}

/// Zeros for all, if there is nothing to go back from.
TensorList no_grads(const RecordedCall& call) {
  TensorList grads;
  for (const Tensor& input : call.inputs) grads.push_back(zeros(input.shape(), {.dtype = input.dtype()}));
  return grads;
}

TensorList conv2d_grads(const RecordedCall& call) {
  const auto options = from_dict<Conv2dFuncOptions>(call.op.attributes(), "conv2d");
  const Tensor &x = call.inputs[0], &weight = call.inputs[1], &grad = call.grad();
  if (grad.numel() == 0) return no_grads(call);
  TensorList grads(call.inputs.size());
  if (call.wanted[0]) grads[0] = input_grad(grad, weight, x.shape(), options);
  if (call.wanted[1]) grads[1] = weight_grad(x, grad, weight.shape(), options);
  if (grads.size() == 3 && call.wanted[2]) grads[2] = sum(grad, {0, 2, 3});
  return grads;
}

/// conv2d from the other side: dX = conv2d(dY), and the weight is that of a convolution of dY that gives X.
TensorList conv_transpose2d_grads(const RecordedCall& call) {
  const auto own = from_dict<ConvTranspose2dFuncOptions>(call.op.attributes(), "conv_transpose2d");
  const Conv2dFuncOptions options{
      .stride = own.stride, .padding = own.padding, .dilation = own.dilation, .groups = own.groups};
  const Tensor &x = call.inputs[0], &weight = call.inputs[1], &grad = call.grad();
  if (grad.numel() == 0) return no_grads(call);
  TensorList grads(call.inputs.size());
  if (call.wanted[0]) grads[0] = conv2d(grad, weight, {}, options);
  if (call.wanted[1]) grads[1] = weight_grad(grad, x, weight.shape(), options);
  if (grads.size() == 3 && call.wanted[2]) grads[2] = sum(grad, {0, 2, 3});
  return grads;
}

}  // namespace

std::span<const FormulaEntry> product_formulas() {
  static constexpr FormulaEntry kEntries[] = {
      {"matmul", matmul_grads},
      {"linear", linear_grads},
      {"conv2d", conv2d_grads},
      {"conv_transpose2d", conv_transpose2d_grads},
  };
  return kEntries;
}

}  // namespace teff::gradients
