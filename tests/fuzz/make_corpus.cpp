// SPDX-License-Identifier: MIT

// Writes the files that fuzzing starts from. Usage: teff_make_corpus FOLDER

#include <filesystem>
#include <fstream>
#include <string>

#include "support/onnx_samples.h"
#include "support/op_module.h"
#include "support/op_samples.h"
#include "teff/teff.h"

namespace fs = std::filesystem;
using namespace teff;
using namespace teff::testing;

namespace {

/// A network whose parts behave differently in training, with a view that follows the batch.
struct SmallNet : nn::Module {
  nn::Conv2d conv{1, 2, 3};
  nn::BatchNorm2d norm{2};
  nn::Dropout dropout{0.5};
  nn::Linear fc{2 * 2 * 2, 2};
  TEFF_MODULE(SmallNet, conv, norm, dropout, fc)

  Tensor forward(const Tensor& input) override {
    const Tensor x = dropout(relu(norm(conv(input))));
    return fc(x.view({x.size(0), -1}));
  }
};

struct TwoInputs : nn::Module {
  nn::Linear fc{2, 2};
  TEFF_MODULE(TwoInputs, fc)
  std::vector<Tensor> forward_many(std::span<const Tensor> x) override { return {fc(x[0]) + x[1], x[1] * 2.0}; }
};

/// Takes any images: an attribute that follows their height and width.
struct FreeSizes : nn::Module {
  nn::Conv2d conv{1, 1, 3, {.stride = 2, .padding = 1}};
  TEFF_MODULE(FreeSizes, conv)
  Tensor forward(const Tensor& x) override { return interpolate(conv(x), {.size = Pair(x.size(2), x.size(3))}); }
};

void write_dicts(const std::string& folder) {
  const SaveOptions options{.durable = false};
  const Tensor weight = tensor<std::int32_t>({1, 2, 3, 4});
  save({}, folder + "/empty.teff", options);
  save({{"none", nullptr}, {"bool", true}, {"int", -1}, {"float", 0.5}, {"text", "ab"}, {"bytes", Bytes(3)}},
       folder + "/scalars.teff", options);
  save({{"w", weight}, {"tied", weight}, {"view", weight.view({2, 2})}, {"empty", zeros({0, 3})}},
       folder + "/tied.teff", options);
  Dict dtypes;
  for (const DType dtype : {DType::float32, DType::float64, DType::int64, DType::int32, DType::int16, DType::int8,
                            DType::uint8, DType::bool_, DType::float16, DType::bfloat16, DType::uint16, DType::uint32,
                            DType::uint64, DType::float8_e4m3fn, DType::float8_e5m2}) {
    dtypes.insert(std::string(to_string(dtype)), tensor<std::int32_t>({0, 1}).to(dtype));
  }
  save(dtypes, folder + "/dtypes.teff", options);
  save({{"list", List{1, List{2, List{}}, Dict{{"x", Dict{}}}}}}, folder + "/nested.teff",
       {.durable = false,
        .metadata = {{"by", "test"}, {"labels", List{"a", "b"}}, {"mean", tensor<std::int32_t>({1})}}});
  Dict many;
  for (int i = 0; i < 20; ++i) many.insert(std::string(1, static_cast<char>('a' + i)), i);
  save(many, folder + "/many.teff", options);
}

void write_models(const std::string& folder) {
  manual_seed(0);
  SmallNet net;
  save_model(net, randn({3, 1, 4, 4}), folder + "/small_net.teff", {.durable = false});
  TwoInputs two;
  save_model(two, {ones({2, 2}), ones({2, 2})}, folder + "/two_inputs.teff", {.durable = false});
  FreeSizes free;
  save_model(free, ones({2, 1, 4, 4}), folder + "/free_sizes.teff", {.durable = false});
  int number = 0;
  for (const OpSample& sample : op_samples()) {
    OpModule module(sample);
    save_model(module, scalar_tensor<double>(1.5),
               folder + "/op_" + sample.op + '_' + std::to_string(number++) + ".teff", {.durable = false});
  }
}

void write_networks(const std::string& folder) {
  const auto write = [&](const std::string& name, const onnx::Parts& parts) {
    std::ofstream(folder + '/' + name, std::ios::binary) << onnx::model(parts);
  };
  write("small_network.onnx", onnx::small_network());
  write("branches.onnx", onnx::branches(true));
  write("shapes.onnx", onnx::shapes());
}

}  // namespace

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : "corpus";
  fs::create_directories(folder + "/teff_dict");
  fs::create_directories(folder + "/teff_model");
  fs::create_directories(folder + "/onnx");
  write_networks(folder + "/onnx");
  write_dicts(folder + "/teff_dict");
  write_models(folder + "/teff_model");
}
