// SPDX-License-Identifier: MIT
// An operation of one's own: swish(x) = x * sigmoid(beta * x), with its gradient, in one pass over memory. It
// trains, is captured, saved and loaded as the built-in ones are. Copy the class and change what it computes.

#include <cmath>
#include <cstdlib>
#include <iostream>
#include <span>
#include <string>
#include <string_view>

#include <teff/engine/testing.h>
#include <teff/teff.h>

using namespace teff;

// 1. The options, each field named once: printing, equality, files and the factory by name follow from that.
struct SwishOptions {
  double beta = 1;
  static void fields(auto& self, auto&& field) { field("beta", self.beta); }
};

// 2. What is computed, as plain loops for float and double.
template <class T>
void swish_forward(std::span<const T> x, T beta, std::span<T> y) {
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = x[i] / (1 + std::exp(-beta * x[i]));
}

/// dx = dy * (s + beta * x * s * (1 - s)) with s = sigmoid(beta * x)
template <class T>
void swish_backward(std::span<const T> x, T beta, std::span<const T> dy, std::span<T> dx) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    const T s = 1 / (1 + std::exp(-beta * x[i]));
    dx[i] = dy[i] * (s + beta * x[i] * s * (1 - s));
  }
}

// 3. The operation.
class Swish : public OpWith<Swish, SwishOptions> {
 public:
  static constexpr std::string_view kName = "swish";  // prefix of errors, name in files
  using OpWith::OpWith;

  /// The result's type. All checks of the inputs belong here.
  TensorType output_type(std::span<const TensorType> inputs) const override {
    if (inputs.size() != 1) throw ShapeError("swish: expected 1 input, got " + std::to_string(inputs.size()));
    if (!is_computable(inputs[0].dtype)) {
      throw TypeError("swish: expected float32 or float64, got " + std::string(to_string(inputs[0].dtype)));
    }
    return inputs[0];
  }

  Tensor forward(const ForwardContext& context) const override {
    const Tensor& x = context.inputs[0];
    const Tensor y = context.make_result();
    if (x.dtype() == DType::float32) {
      swish_forward<float>(x.span<float>(), static_cast<float>(options().beta), y.span<float>());
    } else {
      swish_forward<double>(x.span<double>(), options().beta, y.span<double>());
    }
    return y;
  }

  /// One gradient for each input. context.saved has what forward kept with context.save(), if anything.
  TensorList backward(const BackwardContext& context) const override {
    const Tensor& x = context.inputs[0];
    const Tensor& dy = context.grad;
    const Tensor dx = empty(x.shape(), {.dtype = x.dtype()});
    if (x.dtype() == DType::float32) {
      swish_backward<float>(x.span<float>(), static_cast<float>(options().beta), dy.span<float>(), dx.span<float>());
    } else {
      swish_backward<double>(x.span<double>(), options().beta, dy.span<double>(), dx.span<double>());
    }
    return {dx};
  }
};

// 4. The function that users call.
Tensor swish(const Tensor& x, double beta = 1) { return apply(Swish({.beta = beta}), {x}); }

struct Classifier : nn::Module {
  nn::Linear hidden{8, 16};
  nn::Linear output{16, 3};
  TEFF_MODULE(Classifier, hidden, output)

  Tensor forward(const Tensor& x) override { return output(swish(hidden(x), 1.5)); }
};

void run() {
  // 5. Registered by name, so that files that use it can be loaded. Once, at the start of the program.
  register_op<Swish>();

  // 6. The gradient against differences, in double: throws if they disagree.
  const Tensor x = randn({3, 4}, {.dtype = DType::float64, .requires_grad = true});
  gradcheck([](std::span<const Tensor> inputs) { return swish(inputs[0], 0.7); }, {x});
  std::cout << "the gradient of swish is right\n";

  // 7. In a model, saved whole and loaded again.
  Classifier net;
  const Tensor batch = randn({5, 8});
  save_model(net, batch, "swish_model.teff");
  nn::GraphModule loaded = load_model("swish_model.teff");
  const NoGradGuard no_grad;
  assert_close(loaded(batch), net(batch), {.rtol = 0, .atol = 0});
  std::cout << loaded.graph() << "the loaded model gives the same outputs\n";
}

int main() {
  try {
    run();
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
