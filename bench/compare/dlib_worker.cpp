// SPDX-License-Identifier: MIT
// The worker of dlib: the Net and single convolutions. Only products of matrices have several threads: they are
// those of the system's BLAS, which with OpenBLAS follows OPENBLAS_NUM_THREADS. Usage: dlib_worker

#include <dlib/dnn.h>
#include <dlib/revision.h>

#include <array>
#include <memory>

#include "bench/compare/worker.h"
#include "examples/models/net.h"

using compare::ConvShape;
using compare::Work;
using dlib::resizable_tensor;

namespace {

// Convolution without padding (dlib::con has some), ReLU, pooling.
template <long kOut, class Below>
using Stage = dlib::max_pool<2, 2, 2, 2, dlib::relu<dlib::add_layer<dlib::con_<kOut, 5, 5, 1, 1, 0, 0>, Below>>>;
using Image = std::array<dlib::matrix<float>, 3>;
using Features = Stage<16, Stage<6, dlib::input<Image>>>;
using Scores = dlib::fc<10, dlib::relu<dlib::fc<84, dlib::relu<dlib::fc<120, Features>>>>>;
using DlibNet = dlib::loss_multiclass_log<Scores>;

resizable_tensor pattern(std::int64_t n, std::int64_t k, std::int64_t rows, std::int64_t columns, float scale = 1) {
  resizable_tensor result(n, k, rows, columns);
  compare::fill_pattern(result.host(), static_cast<std::int64_t>(result.size()), scale);
  return result;
}

compare::Values values(const dlib::tensor& tensor) {
  return compare::first_values(tensor.host(), static_cast<std::int64_t>(tensor.size()));
}

// dlib has one tensor a layer, the weights before the bias; those of fc are [inputs, outputs].
void set_parameters(dlib::tensor& layer, const teff::Tensor& weight, const teff::Tensor& bias) {
  const teff::Tensor plain = weight.dim() == 2 ? weight.t() : weight;
  std::copy_n(plain.data<float>(), plain.numel(), layer.host());
  std::copy_n(bias.data<float>(), bias.numel(), layer.host() + plain.numel());
}

// With PyTorch's weights from manual_seed(0), which Teff makes too.
std::shared_ptr<DlibNet> make_net() {
  auto net = std::make_shared<DlibNet>();
  Image image;
  image.fill(dlib::zeros_matrix<float>(32, 32));
  (*net)(image);  // the layers take their sizes from the first image
  teff::manual_seed(0);
  auto parameters = Net().parameters();
  dlib::visit_layer_parameters(*net, [&](dlib::tensor& layer) {  // from the last layer to the first
    if (layer.size() == 0) return;
    set_parameters(layer, parameters.end()[-2], parameters.end()[-1]);
    parameters.resize(parameters.size() - 2);
  });
  return net;
}

Work infer(std::int64_t batch) {
  auto net = make_net();
  return {[net, images = pattern(batch, 3, 32, 32)] { net->subnet().forward(images); },
          [net] { return values(net->subnet().get_output()); }};
}

Work step(std::int64_t batch) {
  auto net = make_net();
  std::vector<unsigned long> labels(batch);
  for (std::int64_t i = 0; i < batch; ++i) labels[i] = i % 10;
  auto solvers = std::make_shared<std::vector<dlib::sgd>>(net->num_computational_layers, dlib::sgd(0, 0.9f));
  auto loss = std::make_shared<double>();
  return {[=, images = pattern(batch, 3, 32, 32)] {
            *loss = net->compute_parameter_gradients(images, labels.begin());
            net->update_parameters(*solvers, 0.001);
          },
          [=] { return compare::Values{static_cast<float>(*loss)}; }};
}

/// A convolution with its memory.
struct Forward {
  resizable_tensor images, weights, bias, result;
  dlib::tt::tensor_conv conv;

  explicit Forward(const ConvShape& s)
      : images(pattern(s.batch, s.channels, s.size, s.size)),
        weights(pattern(s.out, s.channels, s.kernel, s.kernel, compare::kWeightScale)),
        bias(pattern(1, s.out, 1, 1, compare::kWeightScale)) {
    conv.setup(images, weights, s.stride, s.stride, s.padding(), s.padding());
  }
  void run() { conv(false, result, images, weights, bias); }
};

/// Forward and the gradients of images, weights and bias.
struct Both : Forward {
  resizable_tensor grad, grad_images, grad_weights, grad_bias;

  explicit Both(const ConvShape& s)
      : Forward(s),
        grad(pattern(s.batch, s.out, s.side(), s.side())),
        grad_images(images),
        grad_weights(weights),
        grad_bias(bias) {}

  void run_all() {
    run();
    conv.get_gradient_for_data(false, grad, weights, grad_images);
    conv.get_gradient_for_filters(false, grad, images, grad_weights);
    dlib::tt::assign_conv_bias_gradient(grad_bias, grad);
  }
};

Work forward(const ConvShape& shape) {
  auto conv = std::make_shared<Forward>(shape);
  return {[=] { conv->run(); }, [=] { return values(conv->result); }};
}

Work both(const ConvShape& shape) {
  auto conv = std::make_shared<Both>(shape);
  return {[=] { conv->run_all(); }, [=] { return values(conv->grad_weights); }};
}

Work make(const compare::Request& r) {
  if (r.kind() == "infer" && r.text(1) == "net") return infer(r.number(2));
  if (r.kind() == "step" && r.text(1) == "net") return step(r.number(2));
  if (r.kind() == "conv_forward") return forward(ConvShape(r));
  if (r.kind() == "conv_both") return both(ConvShape(r));
  return {};
}

}  // namespace

int main() {
  return compare::serve(std::to_string(DLIB_MAJOR_VERSION) + "." + std::to_string(DLIB_MINOR_VERSION), make);
}
