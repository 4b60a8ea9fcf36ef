// SPDX-License-Identifier: MIT
#include "nn/nets.h"

#include "golden/nn_golden.h"
#include "teff/nn/fnv.h"

using namespace teff;
using namespace teff::nn_testing;

namespace {

/// Of the bytes, as in make_nn_golden.py.
std::uint64_t hash_of(const Tensor& tensor) {
  nn::detail::Fnv1a hash;
  hash.add_text({static_cast<const char*>(tensor.raw_data()), tensor.nbytes()});
  return hash.value();
}

}  // namespace

TEST_CASE("a seed gives the weights that PyTorch draws") {
  manual_seed(0);
  const Net net;
  std::size_t i = 0;
  for (const DictItem& item : net.state_dict()) {
    CAPTURE(item.key);
    CHECK(hash_of(item.value.as_tensor()) == golden::kNetHashes[i++]);
  }
  manual_seed(3);
  const nn::Conv2d grouped(4, 6, {2, 3}, {.groups = 2});
  CHECK(hash_of(grouped.weight) == golden::kGroupedConvHash);
  CHECK(hash_of(grouped.bias) == golden::kGroupedConvBiasHash);
}

TEST_CASE("initialisers draw what PyTorch draws") {
  const Tensor x = empty({2, 3, 2, 2});
  manual_seed(0);
  nn::init::kaiming_uniform_(x, {.mode = nn::init::FanMode::fan_out, .nonlinearity = nn::init::Nonlinearity::relu});
  check_values(x, golden::kKaimingUniform);
  manual_seed(1);
  check_values(nn::init::kaiming_normal_(x, {.a = 0.3}), golden::kKaimingNormal);
  manual_seed(2);
  nn::init::xavier_uniform_(x, nn::init::calculate_gain(nn::init::Nonlinearity::tanh));
  check_values(x, golden::kXavierUniform);
  manual_seed(3);
  check_values(nn::init::xavier_normal_(x), golden::kXavierNormal);
}

TEST_CASE("initialisers fill parameters in place") {
  nn::Linear layer(2, 2);
  CHECK(same_bits(nn::init::constant_(layer.weight, 3), full({2, 2}, 3)));
  CHECK(same_bits(nn::init::zeros_(layer.bias), zeros({2})));
  CHECK(same_bits(nn::init::ones_(layer.bias), ones({2})));
  CHECK(nn::init::uniform_(layer.bias, 5, 6).detach().min().item<float>() >= 5);
  CHECK(nn::init::normal_(layer.bias, 100, 0.5).detach().min().item<float>() > 50);
  CHECK(layer.bias.requires_grad());
  CHECK(nn::init::calculate_fan_in_and_fan_out(zeros({6, 4, 3, 2})).in == 24);
  CHECK(nn::init::calculate_fan_in_and_fan_out(zeros({6, 4, 3, 2})).out == 36);
  CHECK(error_of<ShapeError>([&] { nn::init::xavier_normal_(layer.bias); }) ==
        "calculate_fan_in_and_fan_out: expected at least 2 dimensions, got [2]");
}

TEST_CASE("layers refuse impossible arguments") {
  const auto refused = [](auto&& make) { return error_of<ValueError>(make); };
  CHECK(refused([] { nn::Conv2d(3, 8, 3, {.groups = 3}); }) ==
        "Conv2d: expected out_channels divisible by groups, got 8 and 3");
  CHECK(refused([] { nn::Conv2d(4, 9, 3, {.groups = 3}); }) ==
        "Conv2d: expected in_channels divisible by groups, got 4 and 3");
  CHECK(refused([] { nn::Conv2d(4, 9, {0, 3}); }) == "Conv2d: expected kernel_size >= 1, got (0, 3)");
  CHECK(refused([] { nn::Conv2d(4, 9, 3, {.padding = -1}); }) == "Conv2d: expected padding >= 0, got -1");
  CHECK(refused([] { nn::Linear(0, 3); }) == "Linear: expected in_features >= 1, got 0");
  CHECK(refused([] { nn::MaxPool2d(2, 2, {.padding = 2}); }) ==
        "MaxPool2d: expected padding of at most half of the kernel, got padding 2 and kernel_size 2");
  CHECK(refused([] { nn::AvgPool2d(2, 2, {.divisor_override = 0}); }) ==
        "AvgPool2d: expected divisor_override other than 0, got 0");
  CHECK(refused([] { nn::BatchNorm2d(2, {.momentum = 1.5}); }) == "BatchNorm2d: expected momentum in [0, 1], got 1.5");
  CHECK(refused([] { nn::Dropout(-0.1); }) == "Dropout: expected p in [0, 1], got -0.1");
  CHECK(refused([] { nn::Dropout2d(1.1); }) == "Dropout2d: expected p in [0, 1], got 1.1");
  CHECK(refused([] { nn::Conv2d(3, 8, 3, {.stride = 2, .padding = "same"}); }) ==
        "Conv2d: expected stride 1 with padding \"same\", got 2");
  CHECK(refused([] { nn::Conv2d(3, 8, 3, {.padding = "Same"}); }) ==
        "padding: expected \"same\", \"valid\" or pixels, got \"Same\"");
  CHECK(refused([] { nn::Conv1d(3, 8, 3, {.groups = 0}); }) == "Conv1d: expected groups >= 1, got 0");
  CHECK(refused([] { nn::ConvTranspose2d(3, 8, 3, {.stride = 2, .output_padding = 2}); }) ==
        "ConvTranspose2d: expected output_padding below stride or dilation, got 2");
  CHECK(refused([] { nn::BatchNorm1d(0); }) == "BatchNorm1d: expected num_features >= 1, got 0");
  CHECK(refused([] { nn::GroupNorm(2, 3); }) ==
        "GroupNorm: expected num_channels divisible by num_groups, got 3 and 2");
  CHECK(refused([] { nn::LayerNorm(Shape{}); }) ==
        "LayerNorm: expected a normalized_shape of at least 1 dimension, got ()");
  CHECK(refused([] { nn::AdaptiveAvgPool2d({0, 1}); }) == "AdaptiveAvgPool2d: expected output_size >= 1, got (0, 1)");
  CHECK(refused([] { nn::Upsample({}); }) == "Upsample: expected either a size or a scale_factor, got neither");
  CHECK(refused([] { nn::Upsample({.scale_factor = -1}); }) == "Upsample: expected scale_factor > 0, got -1.0");
  CHECK(refused([] { nn::Embedding(5, 3, {.padding_idx = 5}); }) ==
        "Embedding: expected padding_idx within num_embeddings = 5, got 5");
  CHECK(refused([] { nn::Hardtanh(2, 1); }) == "Hardtanh: expected min_val < max_val, got 2.0 and 1.0");
  CHECK(refused([] { nn::Softplus(0); }) == "Softplus: expected beta > 0, got 0.0");
  CHECK(refused([] { nn::PReLU(0); }) == "PReLU: expected num_parameters >= 1, got 0");
}

TEST_CASE("BatchNorm2d keeps PyTorch's running statistics") {
  const Tensor x = arange(12).to(DType::float32).view({3, 2, 1, 2});
  nn::BatchNorm2d usual(2), cumulative(2, {.momentum = {}});
  for (int step = 0; step < 3; ++step) {
    const Tensor batch = x * (step + 1) - step;
    usual(batch);
    cumulative(batch);
  }
  check_values(usual.running_mean, golden::kRunningMean);
  check_values(usual.running_var, golden::kRunningVar);
  check_values(cumulative.running_mean, golden::kCumulativeMean);
  check_values(cumulative.running_var, golden::kCumulativeVar);
  CHECK(usual.num_batches_tracked.item<int>() == 3);
  usual.eval();
  const Tensor before = usual.running_mean.clone();
  usual(x);
  CHECK(same_bits(usual.running_mean, before));
  CHECK(usual.num_batches_tracked.item<int>() == 3);
  CHECK(error_of<ShapeError>([&] {
          usual(ones({2, 3, 1, 1}));
        }) == "BatchNorm2d: expected input [N, 2, H, W], got [2, 3, 1, 1]");
}

TEST_CASE("layers refuse inputs of another shape") {
  const auto refused = [](auto&& call) { return error_of<ShapeError>(call); };
  CHECK(refused([] {
          nn::BatchNorm1d(2)(ones({4, 3}));
        }) == "BatchNorm1d: expected input [N, 2] or [N, 2, L], got [4, 3]");
  CHECK(refused([] { nn::GroupNorm(1, 2)(ones({4, 3})); }) == "GroupNorm: expected input [N, 2, ...], got [4, 3]");
  CHECK(refused([] { nn::ZeroPad2d(1)(ones({3, 3})); }) == "ZeroPad2d: expected input [N, C, H, W], got [3, 3]");
}

TEST_CASE("BatchNorm2d without running statistics normalises with the batch's in evaluation, too") {
  nn::BatchNorm2d layer(2, {.affine = false, .track_running_stats = false});
  CHECK(layer.state_dict().empty());
  layer.eval();
  const Tensor y = layer(randn({4, 2, 3, 3}));
  CHECK(y.mean().abs().item<float>() < 1e-5f);
  CHECK((y * y).mean().item<float>() == doctest::Approx(1).epsilon(1e-3));
}

TEST_CASE("Sequential takes values, pointers and names") {
  const auto shared = std::make_shared<nn::Linear>(2, 2);
  nn::Sequential net{nn::Linear(3, 2), shared, nn::Tanh()};
  net.append(shared).add("last", nn::Sigmoid());
  CHECK(net.size() == 5);
  CHECK(net[-1].type_name() == "Sigmoid");
  CHECK(&net[1] == shared.get());
  CHECK(keys_of(net.state_dict()) ==
        std::vector<std::string>{"0.weight", "0.bias", "1.weight", "1.bias", "3.weight", "3.bias"});
  const nn::Sequential named{{"linear", nn::Linear(3, 2)}, {"act", std::make_shared<nn::ReLU>()}};
  CHECK(printed(named) ==
        "Sequential(\n  (linear): Linear(in_features=3, out_features=2, bias=True)\n  (act): ReLU()\n)");
  std::string names;
  for (const nn::Module& layer : net) names += layer.type_name() + ' ';
  CHECK(names == "Linear Linear Tanh Linear Sigmoid ");
  const Tensor x = randn({4, 3});
  const Tensor by_hand = sigmoid((*shared)(tanh((*shared)(net[0](x)))));
  CHECK(same_bits(net(x).detach(), by_hand.detach()));
  CHECK(nn::Sequential()(x).is(x));
}

TEST_CASE("Sequential copies one that stands alone in its braces") {
  const nn::Sequential net{nn::ReLU(), nn::Tanh()};
  const nn::Sequential copy{net};
  CHECK(copy.size() == 2);
  CHECK(&copy[0] == &net[0]);
  CHECK(nn::Sequential().append(net).size() == 1);
  CHECK(&net.clone()[0] != &net[0]);
}

TEST_CASE("Sequential refuses bad names, places and classes") {
  nn::Sequential net{nn::ReLU()};
  CHECK(error_of<ValueError>([&] { net.add("a.b", nn::ReLU()); }) ==
        "Sequential: expected a name without a dot, got \"a.b\"");
  CHECK(error_of<ValueError>([&] { net.add("0", nn::ReLU()); }) ==
        "Sequential: expected a new name, got \"0\" a second time");
  CHECK(error_of<TypeError>([&] { net.append(std::shared_ptr<nn::Module>()); }) ==
        "Sequential: expected a module, got a null pointer for \"1\"");
  const auto inner = std::make_shared<nn::Sequential>(nn::ReLU());
  const auto outer = std::make_shared<nn::Sequential>();
  outer->append(nn::Tanh()).append(inner);
  CHECK(error_of<ValueError>([&] { inner->append(inner); }) ==
        "Sequential: expected modules without this one in them, got one as \"1\" that holds it");
  CHECK(error_of<ValueError>([&] { inner->append(outer); }) ==
        "Sequential: expected modules without this one in them, got one as \"1\" that holds it");
  CHECK(inner->size() == 1);
  CHECK(error_of<IndexError>([&] { net[1]; }) == "Sequential: expected an index below its size 1, got 1");
  CHECK(error_of<TypeError>([&] { net.get<nn::Tanh>(0); }) ==
        "Sequential: expected the class that was asked for at 0, got ReLU");
}

TEST_CASE("ModuleList holds modules that a forward picks itself") {
  nn::ModuleList list{nn::Linear(2, 2), std::make_shared<nn::ReLU>()};
  list.append(nn::Tanh());
  CHECK(list.size() == 3);
  CHECK(list.get<nn::Linear>(0).weight.shape() == Shape{2, 2});
  CHECK(keys_of(list.state_dict()) == std::vector<std::string>{"0.weight", "0.bias"});
}

TEST_CASE("ModuleDict holds modules by name, in order") {
  nn::ModuleDict heads{{"colour", nn::Linear(2, 3)}, {"shape", std::make_shared<nn::Linear>(2, 5)}};
  heads.add("act", nn::ReLU());
  CHECK(heads.size() == 3);
  CHECK(heads.keys() == std::vector<std::string>{"colour", "shape", "act"});
  CHECK(heads.contains("act"));
  CHECK_FALSE(heads.contains("size"));
  CHECK(heads["shape"](ones({1, 2})).shape() == Shape{1, 5});
  CHECK(heads.get<nn::Linear>("colour").bias.shape() == Shape{3});
  CHECK(keys_of(heads.state_dict()) ==
        std::vector<std::string>{"colour.weight", "colour.bias", "shape.weight", "shape.bias"});
  CHECK(printed(nn::ModuleDict{{"a", nn::ReLU()}}) == "ModuleDict(\n  (a): ReLU()\n)");
  CHECK(&heads.clone()["act"] != &heads["act"]);
  CHECK(error_of<IndexError>([&] { heads["size"]; }) ==
        "ModuleDict: expected a name among (\"colour\", \"shape\", \"act\"), got \"size\"");
  CHECK(error_of<TypeError>([&] { heads.get<nn::Tanh>("act"); }) ==
        "ModuleDict: expected the class that was asked for at act, got ReLU");
  CHECK(error_of<ValueError>([&] { heads.add("act", nn::Tanh()); }) ==
        "ModuleDict: expected a new name, got \"act\" a second time");
}

TEST_CASE("weights of losses are buffers, converted with them") {
  const Tensor logits = randn({3, 2}), classes = tensor<std::int64_t>({0, -100, 1});
  nn::CrossEntropyLoss loss({.weight = tensor<float>({1, 4}), .label_smoothing = 0.1});
  CHECK(keys_of(loss.state_dict()) == std::vector<std::string>{"weight"});
  CHECK(loss.parameters().empty());
  CHECK(same_bits(loss(logits, classes),
                  cross_entropy(logits, classes, {.weight = tensor<float>({1, 4}), .label_smoothing = 0.1})));
  loss.to(DType::float64);
  CHECK(loss(logits.to(DType::float64), classes).dtype() == DType::float64);
  nn::BCEWithLogitsLoss binary({.weight = ones({2}), .pos_weight = full({2}, 3)});
  CHECK(keys_of(binary.state_dict()) == std::vector<std::string>{"weight", "pos_weight"});
  const Tensor target = rand({3, 2});
  CHECK(same_bits(binary(logits, target),
                  binary_cross_entropy_with_logits(logits, target, {.weight = ones({2}), .pos_weight = full({2}, 3)})));
}

TEST_CASE("losses of pairs compute what their functions compute") {
  const Tensor a = rand({3, 4}), b = rand({3, 4});
  const Reduction sum = Reduction::sum;
  CHECK(same_bits(nn::L1Loss(sum)(a, b), l1_loss(a, b, sum)));
  CHECK(same_bits(nn::SmoothL1Loss(sum, 0.3)(a, b), smooth_l1_loss(a, b, sum, 0.3)));
  CHECK(same_bits(nn::HuberLoss(sum, 0.3)(a, b), huber_loss(a, b, sum, 0.3)));
  CHECK(same_bits(nn::BCELoss({.weight = b})(a, b), binary_cross_entropy(a, b, {.weight = b})));
  CHECK(same_bits(nn::KLDivLoss(Reduction::batchmean, true)(a, b), kl_div(a, b, Reduction::batchmean, true)));
  CHECK(printed(nn::BCEWithLogitsLoss({.pos_weight = ones({2})})) == "BCEWithLogitsLoss()");
}

TEST_CASE("losses are called with input and target") {
  const Tensor logits = randn({3, 4}), classes = tensor<std::int64_t>({0, 3, 2});
  nn::CrossEntropyLoss loss;
  CHECK(same_bits(loss(logits, classes), cross_entropy(logits, classes)));
  CHECK(same_bits(nn::NLLLoss(Reduction::sum)(log_softmax(logits, 1), classes),
                  cross_entropy(logits, classes, Reduction::sum)));
  CHECK(nn::MSELoss(Reduction::none)(logits, logits).shape() == Shape{3, 4});
  CHECK(error_of<ShapeError>([&] { loss({logits}); }) == "CrossEntropyLoss: expected 2 inputs (input, target), got 1");
}

TEST_CASE("layers compute what their functions compute") {
  manual_seed(2);
  const Tensor x = randn({2, 2, 6, 6});
  const auto check = [&](nn::Module&& layer, const Tensor& expected) {
    CHECK(same_bits(layer(x).detach(), expected.detach()));
  };
  check(nn::MaxPool2d(3, 2, {.padding = 1}), max_pool2d(x, 3, {.stride = 2, .padding = 1}));
  check(nn::AvgPool2d(3, {2, 1}, {.padding = 1, .count_include_pad = false}),
        avg_pool2d(x, 3, {.stride = Pair(2, 1), .padding = 1, .count_include_pad = false}));
  check(nn::LeakyReLU(0.3), leaky_relu(x, 0.3));
  check(nn::Sigmoid(), sigmoid(x));
  check(nn::Tanh(), tanh(x));
  check(nn::Softmax(1), softmax(x, 1));
  check(nn::Flatten(), x.view({2, 72}));
  check(nn::Identity(), x);
  nn::Dropout dropped;
  dropped.eval();
  CHECK(same_bits(dropped(x), x));
  nn::Conv2d conv(2, 4, {3, 1}, {.stride = {2, 1}, .padding = {1, 0}, .dilation = {1, 2}, .groups = 2});
  CHECK(same_bits(conv(x).detach(), conv2d(x, conv.weight, conv.bias,
                                           {.stride = {2, 1}, .padding = {1, 0}, .dilation = {1, 2}, .groups = 2})
                                        .detach()));
}
