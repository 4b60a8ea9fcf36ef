// SPDX-License-Identifier: MIT

// Layers against PyTorch's: tests/golden/families.golden, which has them under the same names.

#include <set>

#include "nn/layer_cases.h"

using namespace teff;
using namespace teff::testing;
using namespace teff::nn_testing;

namespace {

LayerCases convolutions_and_norms() {
  return {
      TEFF_LAYER("Conv1d, same", nn::Conv1d(2, 3, 4, {.padding = "same", .dilation = 2})),
      TEFF_LAYER("Conv1d, reflect", nn::Conv1d(2, 3, 3, {.stride = 2, .padding = 2, .padding_mode = PadMode::reflect})),
      TEFF_LAYER("Conv3d", nn::Conv3d(2, 4, 3)),
      TEFF_LAYER(
          "Conv3d, all options",
          nn::Conv3d(4, 4, {1, 2, 3},
                     {.stride = {2, 1, 2}, .padding = {0, 1, 2}, .dilation = {1, 2, 1}, .groups = 2, .bias = false})),
      TEFF_LAYER("Conv3d, same, circular",
                 nn::Conv3d(2, 2, {2, 3, 2}, {.padding = "same", .padding_mode = PadMode::circular})),
      TEFF_LAYER("ConvTranspose1d", nn::ConvTranspose1d(3, 2, 3, {.stride = 2, .padding = 1, .output_padding = 1})),
      TEFF_LAYER("ConvTranspose3d", nn::ConvTranspose3d(3, 2, 2)),
      TEFF_LAYER("ConvTranspose3d, all options", nn::ConvTranspose3d(4, 6, {3, 2, 1},
                                                                     {.stride = {2, 1, 2},
                                                                      .padding = {1, 0, 0},
                                                                      .output_padding = {1, 1, 0},
                                                                      .groups = 2,
                                                                      .bias = false,
                                                                      .dilation = {1, 2, 1}})),
      TEFF_LAYER("BatchNorm3d", nn::BatchNorm3d(3)),
      TEFF_LAYER("InstanceNorm1d", nn::InstanceNorm1d(3)),
      TEFF_LAYER("InstanceNorm2d, affine", nn::InstanceNorm2d(3, {.affine = true})),
      TEFF_LAYER("InstanceNorm3d, statistics",
                 nn::InstanceNorm3d(3, {.eps = 1e-3, .momentum = 0.3, .affine = true, .track_running_stats = true})),
      TEFF_LAYER("LocalResponseNorm", nn::LocalResponseNorm(2)),
      TEFF_LAYER("LocalResponseNorm, options", nn::LocalResponseNorm(3, 0.1, 0.5, 2)),
      TEFF_LAYER("CrossMapLRN2d, 3", nn::CrossMapLRN2d(3, 0.1, 0.5, 2)),
      TEFF_LAYER("CrossMapLRN2d, 4", nn::CrossMapLRN2d(4, 0.1, 0.5, 2)),
  };
}

LayerCases pools_and_pads() {
  return {
      TEFF_LAYER("MaxPool1d", nn::MaxPool1d(3)),
      TEFF_LAYER("MaxPool1d, options", nn::MaxPool1d(3, 2, {.padding = 1, .dilation = 2, .ceil_mode = true})),
      TEFF_LAYER("MaxPool3d", nn::MaxPool3d(2)),
      TEFF_LAYER("MaxPool3d, options",
                 nn::MaxPool3d({1, 2, 3}, {1, 2, 2}, {.padding = {0, 1, 1}, .dilation = {1, 2, 1}, .ceil_mode = true})),
      TEFF_LAYER("AvgPool1d", nn::AvgPool1d(3, 2, {.padding = 1, .ceil_mode = true, .count_include_pad = false})),
      TEFF_LAYER("AvgPool3d",
                 nn::AvgPool3d({2, 1, 3}, 2, {.padding = {1, 0, 1}, .ceil_mode = true, .count_include_pad = false})),
      TEFF_LAYER("AvgPool3d, divisor", nn::AvgPool3d(2, 2, {.divisor_override = 3})),
      TEFF_LAYER("AdaptiveAvgPool1d", nn::AdaptiveAvgPool1d(3)),
      TEFF_LAYER("AdaptiveMaxPool1d", nn::AdaptiveMaxPool1d(3)),
      TEFF_LAYER("AdaptiveAvgPool3d", nn::AdaptiveAvgPool3d({1, 1, 1})),
      TEFF_LAYER("AdaptiveMaxPool3d, cube", nn::AdaptiveMaxPool3d(2)),
      TEFF_LAYER("LPPool1d", nn::LPPool1d(2, 3)),
      TEFF_LAYER("LPPool2d", nn::LPPool2d(2, {3, 2}, Pair(2, 1), true)),
      TEFF_LAYER("MaxUnpool1d", nn::MaxUnpool1d(3, {.stride = 2, .padding = 1})),
      TEFF_LAYER("MaxUnpool2d", nn::MaxUnpool2d(2)),
      TEFF_LAYER("MaxUnpool3d", nn::MaxUnpool3d({1, 2, 2})),
      TEFF_LAYER("ConstantPad1d", nn::ConstantPad1d(2, 3.5)),
      TEFF_LAYER("ConstantPad2d", nn::ConstantPad2d({1, 0, -1, 2}, 0)),
      TEFF_LAYER("ConstantPad3d", nn::ConstantPad3d({1, 0, 2, 1, 0, 1}, -0.5)),
      TEFF_LAYER("ReflectionPad1d", nn::ReflectionPad1d({2, 1})),
      TEFF_LAYER("ReflectionPad3d", nn::ReflectionPad3d(1)),
      TEFF_LAYER("ReplicationPad1d", nn::ReplicationPad1d(2)),
      TEFF_LAYER("ReplicationPad3d", nn::ReplicationPad3d({1, 0, 2, 1, 0, 1})),
  };
}

LayerCases others() {
  return {
      TEFF_LAYER("Bilinear", nn::Bilinear(2, 3, 4)),
      TEFF_LAYER("Bilinear, no bias", nn::Bilinear(2, 3, 4, false)),
      TEFF_LAYER("EmbeddingBag", nn::EmbeddingBag(5, 3)),
      TEFF_LAYER("EmbeddingBag, max", nn::EmbeddingBag(5, 3, {.mode = EmbeddingBagMode::max, .padding_idx = -2})),
      TEFF_LAYER("Unflatten", nn::Unflatten(1, {2, -1})),
      TEFF_LAYER("Unflatten, last", nn::Unflatten(-1, {3, 1, 2})),
      TEFF_LAYER("WeightNorm, Conv2d", nn::WeightNorm<nn::Conv2d>(nn::Conv2d(2, 3, 2))),
      TEFF_LAYER("WeightNorm, Linear", nn::WeightNorm<nn::Linear>(nn::Linear(4, 3), 1)),
      TEFF_LAYER("SpectralNorm, Linear", nn::SpectralNorm<nn::Linear>(nn::Linear(4, 3))),
      TEFF_LAYER("SpectralNorm, ConvTranspose2d",
                 nn::SpectralNorm<nn::ConvTranspose2d>(nn::ConvTranspose2d(2, 3, 2), {.n_power_iterations = 2})),
      TEFF_LAYER("Upsample, trilinear", nn::Upsample({.scale_factor = 2, .mode = InterpolateMode::trilinear})),
      TEFF_LAYER("Upsample, linear", nn::Upsample({.size = 5, .mode = InterpolateMode::linear, .align_corners = true})),
      TEFF_LAYER("Upsample, volume", nn::Upsample({.size = ImageSize(2, 3, 4)})),
      TEFF_LAYER("Upsample, bicubic",
                 nn::Upsample({.scale_factor = ScaleFactor(2, 2), .mode = InterpolateMode::bicubic})),
      TEFF_LAYER("UpsamplingNearest2d", nn::UpsamplingNearest2d({.scale_factor = 2})),
      TEFF_LAYER("UpsamplingBilinear2d", nn::UpsamplingBilinear2d({.size = ImageSize(5, 4)})),
      TEFF_LAYER("AdaptiveLogSoftmaxWithLoss", nn::AdaptiveLogSoftmaxWithLoss(16, 20, {4, 10}, {.head_bias = true})),
      TEFF_LAYER("Dropout1d", nn::Dropout1d(0.3)),
      TEFF_LAYER("Dropout3d", nn::Dropout3d(0.3, true)),
      TEFF_LAYER("AlphaDropout", nn::AlphaDropout(0.3)),
      TEFF_LAYER("FeatureAlphaDropout", nn::FeatureAlphaDropout(0.3)),
  };
}

LayerCases activations() {
  return {
      TEFF_LAYER("CELU", nn::CELU()),
      TEFF_LAYER("CELU, options", nn::CELU(2, true)),
      TEFF_LAYER("SELU", nn::SELU()),
      TEFF_LAYER("SELU, inplace", nn::SELU(true)),
      TEFF_LAYER("Mish", nn::Mish()),
      TEFF_LAYER("LogSigmoid", nn::LogSigmoid()),
      TEFF_LAYER("Hardshrink", nn::Hardshrink()),
      TEFF_LAYER("Softshrink", nn::Softshrink(1)),
      TEFF_LAYER("Softsign", nn::Softsign()),
      TEFF_LAYER("Tanhshrink", nn::Tanhshrink()),
      TEFF_LAYER("Threshold", nn::Threshold(0.1, 20)),
      TEFF_LAYER("Softmin", nn::Softmin(1)),
      TEFF_LAYER("RReLU", nn::RReLU()),
      TEFF_LAYER("RReLU, options", nn::RReLU(0.1, 0.2, true)),
      TEFF_LAYER("GLU", nn::GLU()),
      TEFF_LAYER("Softmax2d", nn::Softmax2d()),
      TEFF_LAYER("PixelShuffle", nn::PixelShuffle(2)),
      TEFF_LAYER("PixelUnshuffle", nn::PixelUnshuffle(2)),
      TEFF_LAYER("Unfold", nn::Unfold({2, 3}, {.padding = 1, .stride = {1, 2}})),
      TEFF_LAYER("Fold", nn::Fold({4, 5}, 2, {.stride = {2, 1}})),
      TEFF_LAYER("CosineSimilarity", nn::CosineSimilarity()),
      TEFF_LAYER("PairwiseDistance", nn::PairwiseDistance(1.5, 1e-6, true)),
      TEFF_LAYER("TripletMarginLoss", nn::TripletMarginLoss({.margin = 0.5, .swap = true})),
      TEFF_LAYER("TripletMarginWithDistanceLoss",
                 nn::TripletMarginWithDistanceLoss(
                     {.distance_function = [](const Tensor& a, const Tensor& b) { return sum(abs(a - b), 1); },
                      .margin = 0.7})),
  };
}

LayerCases further_losses() {
  return {
      TEFF_LAYER("HingeEmbeddingLoss", nn::HingeEmbeddingLoss(0.7)),
      TEFF_LAYER("SoftMarginLoss", nn::SoftMarginLoss()),
      TEFF_LAYER("MultiLabelMarginLoss", nn::MultiLabelMarginLoss()),
      TEFF_LAYER("MultiLabelSoftMarginLoss", nn::MultiLabelSoftMarginLoss({}, Reduction::sum)),
      TEFF_LAYER("MultiMarginLoss", nn::MultiMarginLoss({.p = 2, .margin = 0.6, .weight = tensor<float>({1, 0.5, 2})})),
      TEFF_LAYER("PoissonNLLLoss", nn::PoissonNLLLoss({.full = true})),
      TEFF_LAYER("MarginRankingLoss", nn::MarginRankingLoss(0.3)),
      TEFF_LAYER("CosineEmbeddingLoss", nn::CosineEmbeddingLoss(0.1)),
      TEFF_LAYER("GaussianNLLLoss", nn::GaussianNLLLoss({.full = true})),
      TEFF_LAYER("CTCLoss", nn::CTCLoss({.blank = 2, .reduction = Reduction::sum})),
  };
}

const LayerCases& families() {
  static const LayerCases cases = [] {
    LayerCases all;
    for (const LayerCases& some :
         {convolutions_and_norms(), pools_and_pads(), others(), activations(), further_losses()}) {
      all.insert(some.begin(), some.end());
    }
    return all;
  }();
  return cases;
}

std::vector<Tensor> inputs_of(const Dict& entries, DType dtype) {
  std::vector<Tensor> inputs;
  for (const DictItem& item : entries.at("inputs").as_dict()) {
    const Tensor input = item.value.as_tensor();
    inputs.push_back(is_floating_point(input.dtype()) ? input.to(dtype).clone() : input);
  }
  return inputs;
}

constexpr Tolerance kExact{1e-7, 1e-8};

void check_gradients(nn::Module& layer, const std::vector<Tensor>& inputs, const Dict& entries) {
  for (const DictItem& item : part_of(entries, "grads")) {
    INFO("gradient of input ", item.key);
    CHECK_NOTHROW(assert_close(inputs[std::stoul(item.key)].grad(), item.value.as_tensor(), kExact));
  }
  const Dict grads = part_of(entries, "parameter_grads");
  for (const auto& parameter : layer.named_parameters()) {
    INFO("gradient of ", parameter.first);
    CHECK_NOTHROW(assert_close(parameter.second.grad(), grads.at(parameter.first).as_tensor(), kExact));
  }
}

void check_exactly(nn::Module& layer, const Dict& entries) {
  layer.to(DType::float64);
  layer.load_state_dict(part_of(entries, "state"));
  const std::vector<Tensor> inputs = inputs_of(entries, DType::float64);
  const std::vector<std::string> wanted = keys_of(part_of(entries, "grads"));
  for (const std::string& i : wanted) inputs[std::stoul(i)].requires_grad_();
  manual_seed(6);
  const Tensor output = layer(inputs)[0], expected = entries.at("exact").as_tensor();
  CHECK_NOTHROW(assert_close(output.detach(), expected, kExact));
  Tensor grad = empty(expected.shape(), {.dtype = DType::float64});
  std::int64_t i = 0;
  for (double& value : grad.span<double>()) value = static_cast<double>(i++ % 7) / 4 - 0.6;
  if (output.requires_grad()) output.backward(grad);
  check_gradients(layer, inputs, entries);
  for (const auto& buffer : layer.named_buffers()) {
    INFO("afterwards ", buffer.first);
    CHECK_NOTHROW(assert_close(buffer.second, part_of(entries, "after").at(buffer.first).as_tensor(), kExact));
  }
}

void check_family(const GoldenCase& one) {
  REQUIRE(families().contains(one.name));
  manual_seed(5);
  const MadeLayer layer = families().at(one.name)();
  check_begin(*layer, one.entries);
  manual_seed(6);
  const Tensor output = (*layer)(inputs_of(one.entries, DType::float32))[0];
  CHECK_NOTHROW(assert_close(output.detach(), one.entries.at("output").as_tensor(), {1e-5, 1e-6}));
  if (one.entries.contains("exact")) check_exactly(*layer, one.entries);
}

}  // namespace

TEST_CASE("layers of all families print, begin, compute and learn as PyTorch's do") {
  std::set<std::string> seen;
  for (const GoldenCase& one : read_golden("families.golden")) {
    INFO(one.name);
    seen.insert(one.name);
    CHECK_NOTHROW(check_family(one));
  }
  CHECK(seen.size() == families().size());
}

TEST_CASE("layers of all families are captured for any batch and give the same bits") {
  for (const GoldenCase& one : read_golden("families.golden")) {
    const bool is_loss = one.name.ends_with("Loss");
    if (is_loss || one.name == "AdaptiveLogSoftmaxWithLoss" || one.name == "EmbeddingBag, max")
      continue;  // of lengths and offsets that are no batch
    INFO(one.name);
    const MadeLayer layer = families().at(one.name)();
    layer->eval();
    const std::vector<Tensor> inputs = inputs_of(one.entries, DType::float32);
    if (one.name.starts_with("SpectralNorm")) {  // what it does in training is no operation
      CHECK_THROWS_AS(nn::capture(*layer, inputs), Error);
      continue;
    }
    std::vector<Tensor> twice;
    for (const Tensor& input : inputs) twice.push_back(cat({input, input}));
    CHECK_NOTHROW([&] {
      nn::GraphModule captured = nn::capture(*layer, inputs);
      captured.eval();
      CHECK(same_bits(captured(twice)[0].detach(), (*layer)(twice)[0].detach()));
      CHECK(printed(captured) == printed(*layer));
    }());
  }
}
