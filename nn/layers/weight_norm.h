// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "teff/nn/module.h"

// Layers whose weight is computed anew in each forward: torch.nn.utils.weight_norm and spectral_norm. In Python they
// change a layer; here they are layers made of one:
//
//   nn::WeightNorm<nn::Conv1d> conv{nn::Conv1d(16, 32, 3)};      // keys bias, weight_g, weight_v
//
// They print as the layer, and their forward may not run in several threads at once.

namespace TEFF_EXPORT teff {
namespace nn {
namespace detail {

/// Shows a visitor all members but "weight".
class WithoutWeight : public MemberVisitor {
 public:
  explicit WithoutWeight(MemberVisitor& visitor) : visitor_(visitor) {}
  void operator()(const std::string& name, Parameter& parameter) override {
    if (name != "weight") visitor_(name, parameter);
  }
  void operator()(const std::string& name, Buffer& buffer) override { visitor_(name, buffer); }
  void operator()(const std::string& name, Module& child) override { visitor_(name, child); }
  void operator()(const std::string& name, std::shared_ptr<Module>& child) override { visitor_(name, child); }

 private:
  MemberVisitor& visitor_;
};

/// The length of each slice of dimension `dim` of v, with all other dimensions of size 1.
Tensor norm_except(const Tensor& v, std::int64_t dim);

/// v * (g / norm_except(v, dim))
Tensor of_lengths(const Tensor& v, const Tensor& g, std::int64_t dim);

struct SpectralVectors {
  Tensor u, v;  // of length 1
};
/// Random ones for a weight whose rows are the slices of dimension `dim`.
SpectralVectors random_vectors(const Tensor& weight, std::int64_t dim, double eps);
/// weight divided by its largest singular value, u . W v; before, in training, u and v come nearer to its vectors.
Tensor spectrally_normalised(const Tensor& weight, const SpectralVectors& vectors, std::int64_t dim, int iterations,
                             double eps);
/// 1 for transposed convolutions, whose second dimension is that of the outputs, else 0.
std::int64_t output_dim(const Module& layer);

}  // namespace detail

/// weight = weight_v * (weight_g / |weight_v|), with a length for each slice of dimension `dim` (Salimans and Kingma,
/// 2016).
template <class Layer>
class WeightNorm : public Layer {
 public:
  explicit WeightNorm(Layer layer, Integer dim = 0)
      : Layer(std::move(layer)),
        weight_g(detail::norm_except(this->weight.detach(), dim)),
        weight_v(this->weight.detach().clone()),
        dim_(dim) {}

  Parameter weight_g, weight_v;

  std::string type_name() const override { return Layer::type_name(); }
  std::shared_ptr<Module> copy_handles() const override { return detail::copy_handles_as(*this); }
  WeightNorm clone() const { return detail::clone_as(*this); }
  void visit_members(MemberVisitor& visitor) override {
    detail::WithoutWeight others(visitor);
    Layer::visit_members(others);
    visitor("weight_g", weight_g);
    visitor("weight_v", weight_v);
  }

  Tensor forward(const Tensor& input) override {
    static_cast<Tensor&>(this->weight) = computed();
    return Layer::forward(input);
  }

  /// The plain layer with the weight that this one has now.
  Layer remove() const {
    Layer layer = *this;
    layer.weight = Parameter(computed().detach().clone());
    return layer;
  }

 private:
  Tensor computed() const { return detail::of_lengths(weight_v, weight_g, dim_); }

  std::int64_t dim_;
};

struct SpectralNormOptions {
  int n_power_iterations = 1;  // in each forward in training
  double eps = 1e-12;
};

/// weight = weight_orig / its largest singular value, which is found by steps of the power method from forward to
/// forward in training (Miyato et al., 2018). To save a model for inference, take remove() first.
template <class Layer>
class SpectralNorm : public Layer {
 public:
  explicit SpectralNorm(Layer layer, const SpectralNormOptions& options = {})
      : Layer(std::move(layer)), weight_orig(this->weight.detach().clone()), options_(options) {
    dim_ = detail::output_dim(*this);
    const detail::SpectralVectors vectors = detail::random_vectors(weight_orig.detach(), dim_, options.eps);
    weight_u = vectors.u;
    weight_v = vectors.v;
  }

  Parameter weight_orig;
  Buffer weight_u, weight_v;

  std::string type_name() const override { return Layer::type_name(); }
  std::shared_ptr<Module> copy_handles() const override { return detail::copy_handles_as(*this); }
  SpectralNorm clone() const { return detail::clone_as(*this); }
  void visit_members(MemberVisitor& visitor) override {
    detail::WithoutWeight others(visitor);
    Layer::visit_members(others);
    visitor("weight_orig", weight_orig);
    visitor("weight_u", weight_u);
    visitor("weight_v", weight_v);
  }

  Tensor forward(const Tensor& input) override {
    static_cast<Tensor&>(this->weight) = computed(this->is_training() ? options_.n_power_iterations : 0);
    return Layer::forward(input);
  }

  /// The plain layer with the weight that this one has now.
  Layer remove() const {
    Layer layer = *this;
    layer.weight = Parameter(computed(0).detach().clone());
    return layer;
  }

 private:
  Tensor computed(int iterations) const {
    return detail::spectrally_normalised(weight_orig, {weight_u, weight_v}, dim_, iterations, options_.eps);
  }

  SpectralNormOptions options_;
  std::int64_t dim_ = 0;
};

}  // namespace nn
}  // namespace teff
