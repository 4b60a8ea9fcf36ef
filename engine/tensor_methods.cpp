// SPDX-License-Identifier: MIT
#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/engine/tensor.h"

namespace teff {

Tensor Tensor::operator-() const { return neg(*this); }
Tensor Tensor::operator[](Integer index) const { return select(0, index); }

Tensor Tensor::to(DType dtype) const { return teff::to(*this, dtype); }
Tensor Tensor::abs() const { return teff::abs(*this); }
Tensor Tensor::exp() const { return teff::exp(*this); }
Tensor Tensor::log() const { return teff::log(*this); }
Tensor Tensor::sqrt() const { return teff::sqrt(*this); }
Tensor Tensor::pow(double exponent) const { return teff::pow(*this, exponent); }
Tensor Tensor::clamp(std::optional<double> min, std::optional<double> max) const {
  return teff::clamp(*this, min, max);
}
Tensor Tensor::relu() const { return teff::relu(*this); }
Tensor Tensor::sigmoid() const { return teff::sigmoid(*this); }
Tensor Tensor::tanh() const { return teff::tanh(*this); }
Tensor Tensor::softmax(Integer dim) const { return teff::softmax(*this, dim); }
Tensor Tensor::log_softmax(Integer dim) const { return teff::log_softmax(*this, dim); }

Tensor Tensor::sum(const IntList& dims, bool keepdim) const { return teff::sum(*this, dims, keepdim); }
Tensor Tensor::mean(const IntList& dims, bool keepdim) const { return teff::mean(*this, dims, keepdim); }
Tensor Tensor::amax(const IntList& dims, bool keepdim) const { return teff::amax(*this, dims, keepdim); }
Tensor Tensor::amin(const IntList& dims, bool keepdim) const { return teff::amin(*this, dims, keepdim); }
Tensor Tensor::max() const { return teff::max(*this); }
Tensor Tensor::min() const { return teff::min(*this); }
ValuesAndIndices Tensor::max(Integer dim, bool keepdim) const { return teff::max(*this, dim, keepdim); }
ValuesAndIndices Tensor::min(Integer dim, bool keepdim) const { return teff::min(*this, dim, keepdim); }
Tensor Tensor::argmax(std::optional<Integer> dim, bool keepdim) const { return teff::argmax(*this, dim, keepdim); }

Tensor Tensor::matmul(const Tensor& other) const { return teff::matmul(*this, other); }

Tensor Tensor::view(const Shape& shape) const { return teff::view(*this, shape); }
Tensor Tensor::reshape(const Shape& shape) const { return teff::reshape(*this, shape); }
Tensor Tensor::flatten(Integer start_dim, Integer end_dim) const { return teff::flatten(*this, start_dim, end_dim); }
Tensor Tensor::squeeze(std::optional<Integer> dim) const { return teff::squeeze(*this, dim); }
Tensor Tensor::unsqueeze(Integer dim) const { return teff::unsqueeze(*this, dim); }
Tensor Tensor::transpose(Integer dim0, Integer dim1) const { return teff::transpose(*this, dim0, dim1); }
Tensor Tensor::t() const {
  if (!defined()) throw TypeError("t: expected a defined tensor, got an undefined one");
  if (dim() > 2)
    throw ShapeError("t: expected at most 2 dimensions, got input " + to_string(shape()) + "; use permute");
  return dim() == 2 ? transpose(0, 1) : *this;
}
Tensor Tensor::permute(const IntList& dims) const { return teff::permute(*this, dims); }
Tensor Tensor::select(Integer dim, Integer index) const { return teff::select(*this, dim, index); }
Tensor Tensor::slice(Integer dim, Integer start, std::optional<Integer> end, Integer step) const {
  return teff::slice(*this, dim, start, end, step);
}
std::vector<Tensor> Tensor::split(Integer split_size, Integer dim) const { return teff::split(*this, split_size, dim); }
std::vector<Tensor> Tensor::split(std::span<const std::int64_t> sizes, Integer dim) const {
  return teff::split(*this, sizes, dim);
}
std::vector<Tensor> Tensor::chunk(Integer chunks, Integer dim) const { return teff::chunk(*this, chunks, dim); }

}  // namespace teff
