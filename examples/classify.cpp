// SPDX-License-Identifier: MIT
// Says what is on a picture, with a network from a file: PyTorch's weights (.pt, .pth), .safetensors or .teff with
// --model, or an entire model (.teff) as it is.

#include <cstdlib>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <teff/teff.h>

#include "examples/image_file.h"
#include "examples/image_preset.h"
#include "examples/models/zoo.h"

using namespace teff;

namespace {

struct Options {
  std::string weights;
  std::vector<std::string> pictures;
  std::string model, labels;
  std::int64_t resize = 0, crop = 0;  // 0: what suits the network
  std::int64_t top = 5;
};

void declare(CLI::App& app, Options& options) {
  std::string names;
  for (const models::ZooEntry& entry : models::zoo()) names += (names.empty() ? "" : ", ") + std::string(entry.name);
  app.add_option("WEIGHTS", options.weights,
                 "State dict or checkpoint (.pt, .pth, .safetensors, .teff), for --model; or an entire model (.teff)")
      ->required();
  app.add_option("PICTURE", options.pictures, "PNG, JPEG, PPM or PGM files")->required();
  app.add_option("--model", options.model, "The network that the weights belong to: " + names);
  app.add_option("--labels", options.labels, "Text file with the name of a class on each line, class 0 first");
  app.add_option("--resize", options.resize, "Length of the picture's shorter side; default: 8/7 of the crop")
      ->check(CLI::Range(1, 10000));
  app.add_option("--crop", options.crop, "Side of the square from its middle; default: what the network was made for")
      ->check(CLI::Range(1, 10000));
  app.add_option("--top", options.top, "How many classes to show")->check(CLI::Range(1, 1000))->capture_default_str();
}

std::vector<std::string> read_lines(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw IoError(path + ": expected a text file that can be read, got none");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

/// The state dict itself, or the one in a checkpoint.
Dict find_state_dict(const Dict& file) {
  for (const char* key : {"state_dict", "model_state_dict", "model"}) {
    const Value* value = file.find(key);
    if (value != nullptr && value->is_dict()) return value->as_dict();
  }
  return file;
}

/// A network in evaluation mode and the side of its images.
struct Classifier {
  std::shared_ptr<nn::Module> model;
  std::int64_t side;
};

/// The number of classes is that of the weights: of the last bias.
Classifier load_by_name(const Options& options) {
  const models::ZooEntry& entry = models::find_model(options.model);
  const Dict weights = find_state_dict(load(options.weights));
  models::ModelOptions model_options;
  for (const auto& [key, value] : weights) {
    if (value.is_tensor() && value.as_tensor().dim() == 1) model_options.num_classes = value.as_tensor().size(0);
  }
  const auto model = models::make_model(options.model, model_options);
  model->load_state_dict(weights);
  return {model, entry.image[1]};
}

nn::GraphModule load_entire_model(const std::string& path) {
  try {
    return load_model(path);
  } catch (const FormatError& error) {
    throw FormatError(std::string(error.what()) + "; weights alone need --model");
  }
}

Classifier load_entire(const Options& options) {
  const auto model = std::make_shared<nn::GraphModule>(load_entire_model(options.weights));
  const Shape input = model->inputs().at(0).type.shape;
  if (input.size() != 4)
    throw ShapeError(options.weights + ": expected a model of images [N, 3, H, W], got one of " + to_string(input));
  return {model, input[2]};
}

Tensor read_picture(const std::string& path, const Options& options, std::int64_t side) {
  images::Preset preset;
  preset.crop = options.crop != 0 ? options.crop : side;
  preset.resize = options.resize != 0 ? options.resize : preset.crop * 8 / 7;
  return preset(images::read_image(path)).unsqueeze(0);
}

void print_best(const Tensor& scores, const std::vector<std::string>& labels, std::int64_t count) {
  Tensor probabilities = softmax(scores, 1)[0].clone();
  for (std::int64_t i = 0; i < std::min(count, scores.size(1)); ++i) {
    const auto best = probabilities.argmax(0).item<std::int64_t>();
    float& probability = probabilities.data<float>()[best];
    std::cout << std::setw(7) << std::fixed << std::setprecision(2) << 100 * probability << " %  " << best;
    if (!labels.empty()) std::cout << "  " << labels[static_cast<std::size_t>(best)];
    std::cout << '\n';
    probability = -1;  // its turn is over
  }
}

void run(const Options& options) {
  const Classifier classifier = options.model.empty() ? load_entire(options) : load_by_name(options);
  const std::vector<std::string> labels =
      options.labels.empty() ? std::vector<std::string>() : read_lines(options.labels);
  classifier.model->eval();
  const NoGradGuard no_grad;
  for (const std::string& path : options.pictures) {
    const Tensor scores = (*classifier.model)(read_picture(path, options, classifier.side));
    const auto classes = static_cast<std::size_t>(scores.size(1));
    if (!labels.empty() && labels.size() != classes) {
      throw ValueError(options.labels + ": expected a line for each of " + std::to_string(classes) + " classes, got " +
                       std::to_string(labels.size()));
    }
    std::cout << path << '\n';
    print_best(scores, labels, options.top);
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Says what is on a picture: the classes with the highest probabilities. The picture is prepared as "
               "torchvision does it for ImageNet.");
  Options options;
  declare(app, options);
  CLI11_PARSE(app, argc, argv);
  try {
    run(options);
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
