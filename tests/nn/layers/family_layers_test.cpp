// SPDX-License-Identifier: MIT

// What no golden number says of the layers of families.golden.

#include <cmath>

#include "nn/nets.h"
#include "teff/engine/testing.h"
#include "teff/nn/graph/graph_module.h"

using namespace teff;
using namespace teff::nn_testing;

TEST_SUITE("family layers") {
  TEST_CASE("pools with return_indices give values and indices, and unpooling puts the values back") {
    manual_seed(1);
    const Tensor x = randn({2, 3, 4, 6});
    nn::MaxPool2d pool(2, 2, {.return_indices = true});
    const std::vector<Tensor> both = pool({x});
    REQUIRE(both.size() == 2);
    CHECK(same_bits(both[0], pool(x)));
    CHECK(both[1].dtype() == DType::int64);
    nn::MaxUnpool2d unpool(2);
    const Tensor back = unpool(both[0], both[1]);
    CHECK(back.shape() == x.shape());
    CHECK(unpool(both[0], both[1], {5, 7}).shape() == Shape{2, 3, 5, 7});
    CHECK(nn::MaxPool1d(2, 2, {.return_indices = true})({x.view({2, 3, 24})})[1].size(2) == 12);
    CHECK(nn::MaxPool3d(2, 2, {.return_indices = true})({x.view({2, 3, 2, 2, 6})})[1].size(4) == 3);
    CHECK(nn::AdaptiveMaxPool2d(2, {.return_indices = true})({x}).size() == 2);
    CHECK(nn::AdaptiveMaxPool1d(2, {.return_indices = true})({x.view({2, 3, 24})}).size() == 2);
    CHECK(nn::AdaptiveMaxPool3d(2, {.return_indices = true})({x.view({2, 3, 2, 2, 6})}).size() == 2);
    CHECK(error_of<IndexError>([&] {
            unpool(both[0], both[1], {1, 1});
          }) == "max_unpool2d: expected indices in [0, 1) for a result [2, 3, 1, 1, 1], got " +
                    std::to_string(both[1].data<std::int64_t>()[0]) + " at index 0");
  }

  TEST_CASE("fractional pools draw their windows from the default generator") {
    const Tensor x = randn({2, 3, 7, 6});
    nn::FractionalMaxPool2d pool({2, 2}, {.output_size = Pair(3, 4), .return_indices = true});
    manual_seed(3);
    const std::vector<Tensor> first = pool({x});
    manual_seed(3);
    const Tensor samples = rand({2, 3, 2});
    const ValuesAndIndices expected = fractional_max_pool2d_with_indices(x, {2, 2}, {3, 4}, samples);
    CHECK(same_bits(first[0], expected.values));
    CHECK(same_bits(first[1], expected.indices));
    CHECK(nn::FractionalMaxPool3d(2, {.output_ratio = 0.5})(randn({1, 2, 6, 8, 4})).shape() == Shape{1, 2, 3, 4, 2});
    CHECK(printed(pool) == "FractionalMaxPool2d()");
    CHECK(error_of<ValueError>([] { nn::FractionalMaxPool2d(2, {}); }) ==
          "FractionalMaxPool2d: expected either an output_size or an output_ratio, got neither");
  }

  TEST_CASE("layers that came after PyTorch 1.13 print and compute as they do") {
    const Tensor x = arange(1, 7.0).view({1, 2, 3});
    CHECK(printed(nn::ZeroPad1d(1)) == "ZeroPad1d((1, 1))");
    CHECK(nn::ZeroPad3d(1)(x.view({1, 1, 1, 2, 3})).shape() == Shape{1, 1, 3, 4, 5});
    CHECK(same_bits(nn::CircularPad1d({1, 0})(x), pad(x, {1, 0}, PadMode::circular)));
    CHECK(printed(nn::CircularPad2d({1, 0, 2, 1})) == "CircularPad2d((1, 0, 2, 1))");
    CHECK(nn::CircularPad3d(1)(x.view({1, 1, 1, 2, 3})).shape() == Shape{1, 1, 3, 4, 5});
    CHECK(printed(nn::RMSNorm({2, 3})) == "RMSNorm((2, 3), eps=None, elementwise_affine=True)");
    nn::RMSNorm norm(3, {.eps = 0.5});
    const Tensor y = norm(tensor<float>({1, 2, 2}));
    CHECK(y.data<float>()[1] == doctest::Approx(2 / std::sqrt(3.5)));
    CHECK(norm.state_dict().size() == 1);
  }

  TEST_CASE("parameter lists and dicts print, name and hold as PyTorch's do") {
    nn::ParameterList list{zeros({2, 3}), zeros({3})};
    CHECK(printed(list) == "ParameterList(\n    (0): Parameter containing: [torch.float32 of size 2x3]\n"
                           "    (1): Parameter containing: [torch.float32 of size 3]\n)");
    CHECK(keys_of(list.state_dict()) == std::vector<std::string>{"0", "1"});
    CHECK(list[-1].requires_grad());
    CHECK(list.parameters().size() == 2);
    CHECK(error_of<IndexError>([&] { list[2]; }) == "ParameterList: expected an index below its size 2, got 2");
    nn::ParameterDict dict{{"a", zeros({2, 3})}, {"b", scalar_tensor(0.0)}};
    CHECK(printed(dict) == "ParameterDict(\n    (a): Parameter containing: [torch.FloatTensor of size 2x3]\n"
                           "    (b): Parameter containing: [torch.FloatTensor of size ]\n)");
    CHECK(dict["a"].shape() == Shape{2, 3});
    CHECK(error_of<IndexError>([&] { dict["c"]; }) == "ParameterDict: expected a name among (\"a\", \"b\"), got \"c\"");
    nn::ParameterDict copy = dict.clone();
    copy["a"].detach().fill_(1);
    CHECK(dict["a"].sum().item<float>() == 0);
  }

  TEST_CASE("parameters become one vector and come back") {
    nn::Linear layer(3, 2);
    const Tensor vector = nn::parameters_to_vector(layer.parameters());
    CHECK(vector.shape() == Shape{8});
    nn::vector_to_parameters(arange(8).to(DType::float32), layer.parameters());
    CHECK(layer.weight.data<float>()[5] == 5);
    CHECK(layer.bias.data<float>()[1] == 7);
    CHECK(error_of<ShapeError>([&] { nn::vector_to_parameters(zeros({7}), layer.parameters()); }) ==
          "vector_to_parameters: expected a vector of 8 elements, got [7]");
  }

  TEST_CASE("a convolution fused with its batch norm does what both do") {
    manual_seed(2);
    const auto check = [](auto conv, auto norm, const Tensor& x) {
      norm.train();
      norm(conv(x));
      conv.eval();
      norm.eval();
      auto fused = nn::fuse_conv_bn_eval(conv, norm);
      CHECK_NOTHROW(assert_close(fused(x).detach(), norm(conv(x)).detach(), {1e-4, 1e-5}));
    };
    check(nn::Conv1d(2, 3, 2), nn::BatchNorm1d(3), randn({2, 2, 5}));
    check(nn::Conv2d(2, 3, 2, {.bias = false}), nn::BatchNorm2d(3), randn({2, 2, 4, 5}));
    check(nn::Conv3d(2, 3, 2), nn::BatchNorm3d(3, {.affine = false}), randn({2, 2, 3, 3, 2}));
    CHECK(error_of<ValueError>([] { nn::fuse_conv_bn_eval(nn::Conv2d(1, 1, 1), nn::BatchNorm2d(1)); }) ==
          "fuse_conv_bn_eval: expected layers in evaluation mode, got one in training mode");
  }

  TEST_CASE("what replaces a layer's weight gives the plain layer back, which can be saved") {
    manual_seed(4);
    const Tensor x = randn({2, 4});
    nn::SpectralNorm<nn::Linear> spectral(nn::Linear(4, 3));
    spectral(x);
    spectral.eval();
    nn::Linear plain = spectral.remove();
    CHECK(same_bits(plain(x).detach(), spectral(x).detach()));
    CHECK(keys_of(plain.state_dict()) == std::vector<std::string>{"weight", "bias"});
    nn::WeightNorm<nn::Linear> normed(nn::Linear(4, 3));
    nn::WeightNorm<nn::Linear> copy = normed.clone();
    copy.weight_g.detach().fill_(2);
    CHECK_FALSE(same_bits(copy(x).detach(), normed(x).detach()));
    CHECK(same_bits(normed.remove()(x).detach(), normed(x).detach()));
    nn::Sequential net{normed, nn::ReLU()};
    CHECK(printed(net) == "Sequential(\n  (0): Linear(in_features=4, out_features=3, bias=True)\n  (1): ReLU()\n)");
  }

  TEST_CASE("adaptive softmax gives the log-probabilities of all classes, too") {
    manual_seed(5);
    nn::AdaptiveLogSoftmaxWithLoss layer(16, 20, {4, 10});
    const Tensor x = randn({3, 16}), target = tensor<std::int64_t>({12, 0, 5});
    const Tensor all = layer.log_prob(x);
    CHECK(all.shape() == Shape{3, 20});
    CHECK_NOTHROW(assert_close(all.exp().sum(1).detach(), ones({3}), {1e-5, 1e-5}));
    const auto [output, loss] = layer(x, target);
    for (std::int64_t row = 0; row < 3; ++row) {
      const std::int64_t place = target.data<std::int64_t>()[row];
      CHECK(output[row].item<float>() == doctest::Approx(all[row][place].item<float>()).epsilon(1e-5));
    }
    CHECK(loss.item<float>() == doctest::Approx(-output.mean().item<float>()));
    CHECK(layer.predict(x).dtype() == DType::int64);
    CHECK(
        error_of<ValueError>([] {
          nn::AdaptiveLogSoftmaxWithLoss(8, 20, {4, 30});
        }) ==
        "AdaptiveLogSoftmaxWithLoss: expected cutoffs that rise from above 0 to below n_classes = 20, got 20 after 30");
    CHECK(error_of<IndexError>([&] {
            layer(x, tensor<std::int64_t>({1, 2, 20}));
          }) == "AdaptiveLogSoftmaxWithLoss: expected targets in [0, 20), got 20");
  }

  TEST_CASE("resizing refuses modes of other ranks") {
    CHECK(error_of<ValueError>([] {
            interpolate(zeros({1, 1, 2}), {.size = 4, .mode = InterpolateMode::bicubic});
          }) == "interpolate: expected a mode for input [1, 1, 2] of 3 dimensions, got mode bicubic, which is for 4");
    CHECK(error_of<ValueError>([] {
            interpolate(zeros({1, 1, 2, 2}), {.size = ImageSize(1, 2, 3)});
          }) == "interpolate: expected a size of 1 or 2 numbers for input [1, 1, 2, 2], got [1, 2, 3]");
  }

  TEST_CASE("ranks and sizes that do not fit are refused by name") {
    CHECK(error_of<ShapeError>([] {
            nn::Conv3d(1, 1, 2)(zeros({1, 1, 2, 2}));
          }) == "conv3d: expected input [N, C, D, H, W], got input [1, 1, 2, 2]");
    CHECK(error_of<ShapeError>([] {
            nn::Conv3d(1, 1, 3)(zeros({1, 1, 2, 4, 4}));
          }) == "conv3d: expected a kernel not larger than the padded volume, got weight [1, 1, 3, 3, 3] with dilation "
                "(1, 1, 1) for input [1, 1, 2, 4, 4] with padding (0, 0, 0)");
    CHECK(error_of<ValueError>([] { nn::Conv3d(2, 3, 2, {.groups = 2}); }) ==
          "Conv3d: expected out_channels divisible by groups, got 3 and 2");
    CHECK(error_of<ShapeError>([] {
            nn::MaxPool3d(2)(zeros({1, 2, 4, 4}));
          }) == "max_pool3d: expected input [N, C, D, H, W], got input [1, 2, 4, 4]");
    CHECK(error_of<ShapeError>([] {
            nn::ReflectionPad1d(1)(zeros({1, 2, 4, 4}));
          }) == "ReflectionPad1d: expected input [N, C, L], got [1, 2, 4, 4]");
    CHECK(error_of<ShapeError>([] {
            nn::InstanceNorm2d(3)(zeros({1, 3, 4}));
          }) == "InstanceNorm2d: expected input [N, 3, H, W], got [1, 3, 4]");
    CHECK(error_of<ShapeError>([] {
            nn::Unflatten(1, {2, 4})(zeros({1, 6}));
          }) == "Unflatten: expected sizes that make up the 6 of dimension 1 of input [1, 6], got [2, 4]");
    CHECK(error_of<ShapeError>([] {
            nn::Dropout1d()(zeros({2, 2}));
          }) == "Dropout1d: expected input [N, C, L], got [2, 2]");
    CHECK(error_of<ValueError>([] {
            gaussian_nll_loss(zeros({2}), zeros({2}), tensor<float>({1, -1}));
          }) == "gaussian_nll_loss: expected var of at least 0, got -1");
    CHECK(error_of<IndexError>([] {
            multi_margin_loss(zeros({2, 3}), tensor<std::int64_t>({0, 3}));
          }) == "multi_margin_loss: expected targets in [0, 3), got 3 in row 1");
    CHECK(error_of<ValueError>([] {
            ctc_loss(zeros({2, 1, 3}), tensor<std::int64_t>({1, 2}, {1, 2}), tensor<std::int64_t>({3}),
                     tensor<std::int64_t>({2}));
          }) == "ctc_loss: expected input_lengths from 0 to 2, got 3 at index 0");
    CHECK(error_of<ValueError>([] {
            embedding_bag(tensor<std::int64_t>({0, 1}), zeros({3, 2}), {.offsets = tensor<std::int64_t>({1})});
          }) == "embedding_bag: expected offsets that begin with 0, do not fall and end by 2, got 1 before 2");
  }
}
