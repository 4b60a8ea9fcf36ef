// SPDX-License-Identifier: MIT
// Trains the recipe's Net on Fashion-MNIST, shows how it gets on, keeps a checkpoint to resume from, saves
// the state dict and the entire model, loads both back and compares their predictions.

#include <cstdlib>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <teff/teff.h>

#include "examples/curve.h"
#include "examples/fashion_mnist.h"
#include "examples/picture.h"
#include "examples/progress.h"
#include "examples/training.h"

namespace fs = std::filesystem;
using namespace teff;

namespace {

constexpr std::int64_t kTestBatch = 250;

struct Options {
  std::string data;
  std::string out = "fashion_mnist_out";
  std::int64_t epochs = 5;
  std::int64_t batch = 32;
  double lr = 0.01;
  double momentum = 0.9;
  std::uint64_t seed = 0;
  int threads = 0;
  bool resume = false;

  std::string file(const char* name) const { return (fs::path(out) / name).string(); }
};

/// A check that refuses what is not a number of [low, high]; CLI11's own lets "nan" pass.
CLI::Validator number(double low, double high) {
  const auto check = [low, high](const std::string& text) -> std::string {
    double value = 0;
    if (CLI::detail::lexical_cast(text, value) && value >= low && value <= high) return {};
    std::ostringstream reason;
    reason << "expected a number from " << low << " to " << high << ", got " << text;
    return reason.str();
  };
  return {check, ""};
}

void declare(CLI::App& app, Options& options) {
  app.add_option("--data", options.data,
                 "Folder with the four IDX files, gzip'd or not. Default: /usr/share/datasets/fashion-mnist "
                 "(Debian's "
                 "package dataset-fashion-mnist), else the 1250 images in examples/data")
      ->check(CLI::ExistingDirectory);
  app.add_option("--out", options.out, "Folder for the files that are written")->capture_default_str();
  app.add_option("--epochs", options.epochs, "Epochs in all, those before a --resume included")
      ->check(number(1, 1e6))
      ->capture_default_str();
  auto* batch =
      app.add_option("--batch", options.batch, "Images in a training batch")->check(number(1, 60000));
  auto* lr = app.add_option("--lr", options.lr, "Learning rate")->check(number(1e-12, 1e3));
  auto* momentum = app.add_option("--momentum", options.momentum, "Momentum of SGD")->check(number(0, 1));
  auto* seed = app.add_option("--seed", options.seed, "Seed of the weights and of the order of the images");
  for (CLI::Option* option : {batch, lr, momentum, seed}) option->capture_default_str();
  app.add_option("--threads", options.threads, "Threads; 0: all cores. The results do not depend on it")
      ->check(number(0, 1024))
      ->capture_default_str();
  app.add_flag("--resume", options.resume,
               "Go on from checkpoint.teff in the folder --out, exactly as if there had been no break")
      ->excludes(batch, lr, momentum, seed);
  app.footer(
      "Writes into the folder --out: checkpoint.teff after each epoch; at the end state_dict_model.teff,\n"
      "entire_model.teff and curve.svg, the training curve.");
}

std::string percent(double value) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(2) << value << " %";
  return text.str();
}

double accuracy(const Tensor& classes, const fashion::FashionMnist& images) {
  std::int64_t right = 0;
  for (std::int64_t i = 0; i < images.size(); ++i) {
    if (classes.data<std::int64_t>()[i] == images.label(i)) ++right;
  }
  return 100.0 * static_cast<double>(right) / static_cast<double>(images.size());
}

/// The images, and the batches that training and test get.
struct Data {
  Data(const std::string& folder, std::int64_t batch)
      : train_images(folder, fashion::FashionMnist::Part::train),
        test_images(folder, fashion::FashionMnist::Part::test),
        train(train_images, {.batch_size = batch, .shuffle = true}),
        test(test_images, {.batch_size = kTestBatch}) {}
  Data(const Data&) = delete;
  Data& operator=(const Data&) = delete;

  fashion::FashionMnist train_images, test_images;
  data::DataLoader train, test;
};

/// With another batch size or other images the run could not be continued: they go into the checkpoint too.
void save_checkpoint(const fashion::Training& training, const Data& data, const Options& options) {
  Dict checkpoint = training.checkpoint();
  checkpoint.insert("batch_size", options.batch);
  checkpoint.insert("train_images", data.train_images.size());
  save(checkpoint, options.file("checkpoint.teff"));
}

void resume(fashion::Training& training, const Data& data, const Dict& checkpoint) {
  if (const std::int64_t expected = checkpoint.at("train_images").as_int();
      expected != data.train_images.size()) {
    throw ValueError("--resume: expected the data that the checkpoint was made with, " +
                     std::to_string(expected) + " training images, got " +
                     std::to_string(data.train_images.size()));
  }
  training.resume(checkpoint);
  std::cout << "resumed after epoch " << training.epoch << '\n';
}

void train_epoch(fashion::Training& training, const Data& data, const Options& options) {
  const std::string title =
      "epoch " + std::to_string(training.epoch + 1) + "/" + std::to_string(options.epochs);
  std::ostringstream summary;
  summary << title << ": ";
  {
    fashion::Progress progress(title, data.train_images.size(), std::cout, fashion::is_terminal());
    const double loss =
        training.run_epoch(data.train, [&](std::int64_t done, double mean) { progress.update(done, mean); });
    summary << std::fixed << std::setprecision(4) << "loss " << loss << std::setprecision(1) << ", "
            << progress.seconds() << " s, " << std::setprecision(0) << progress.images_per_second()
            << " images/s";
  }
  const double right = accuracy(fashion::predict(training.net, data.test), data.test_images);
  training.curve.accuracy.push_back({static_cast<double>(training.epoch), right});
  std::cout << summary.str() << ", test accuracy " << percent(right) << std::endl;
}

/// Saves the trained net in both ways, loads both, and returns the predictions, which must be the same.
Tensor save_and_load_back(Net& net, const data::DataLoader& test, const Options& options) {
  const Tensor expected = fashion::predict(net, test);
  const std::string state_dict = options.file("state_dict_model.teff");
  const std::string entire_model = options.file("entire_model.teff");
  save(net.state_dict(), state_dict);
  save_model(net, test.begin()->data.slice(0, 0, 4), entire_model);

  Net model;
  model.load_state_dict(load(state_dict));
  nn::GraphModule entire = load_model(entire_model);
  for (nn::Module* loaded : {static_cast<nn::Module*>(&model), static_cast<nn::Module*>(&entire)}) {
    if (ne(fashion::predict(*loaded, test), expected).sum().item<std::int64_t>() != 0) {
      throw Error("a loaded model predicts something else than the one that was saved");
    }
  }
  std::cout << "saved " << state_dict << " and " << entire_model << '\n'
            << "both were loaded again and give the same classes for all " << expected.numel()
            << " test images\n";
  return expected;
}

/// The first three test images that were recognised and the first three that were not.
std::vector<std::int64_t> images_to_show(const Tensor& classes, const fashion::FashionMnist& images) {
  std::vector<std::int64_t> right, wrong;
  for (std::int64_t i = 0; i < images.size(); ++i) {
    auto& list = classes.data<std::int64_t>()[i] == images.label(i) ? right : wrong;
    if (list.size() < 3) list.push_back(i);
  }
  right.insert(right.end(), wrong.begin(), wrong.end());
  return right;
}

void show_predictions(const Tensor& classes, const fashion::FashionMnist& images) {
  std::vector<fashion::Picture> pictures;
  for (const std::int64_t i : images_to_show(classes, images)) {
    const auto predicted = static_cast<std::size_t>(classes.data<std::int64_t>()[i]);
    const auto truth = static_cast<std::size_t>(images.label(i));
    pictures.push_back(
        {images.pixels(i),
         {"test image " + std::to_string(i), "predicted: " + std::string(fashion::kClassNames[predicted]),
          "true:      " + std::string(fashion::kClassNames[truth])}});
  }
  fashion::print(std::cout, pictures);
}

/// The settings of the run that goes on.
Dict load_checkpoint(Options& options) {
  Dict checkpoint = load(options.file("checkpoint.teff"));
  options.batch = checkpoint.at("batch_size").as_int();
  return checkpoint;
}

void run(Options options) {
  if (options.threads > 0) set_num_threads(options.threads);
  const Dict checkpoint = options.resume ? load_checkpoint(options) : Dict();
  const std::string folder = fashion::find_data(options.data);
  const Data data(folder, options.batch);
  std::cout << folder << ": " << data.train_images.size() << " training and " << data.test_images.size()
            << " test images\n";
  fs::create_directories(options.out);

  manual_seed(options.seed);
  fashion::Training training({.lr = options.lr, .momentum = options.momentum});
  if (options.resume) resume(training, data, checkpoint);
  std::cout << training.net << std::endl;
  while (training.epoch < options.epochs) {
    train_epoch(training, data, options);
    save_checkpoint(training, data, options);
  }

  const Tensor classes = save_and_load_back(training.net, data.test, options);
  fashion::write_svg(training.curve, "The recipe's Net on Fashion-MNIST", options.file("curve.svg"));
  std::cout << "training curve: " << options.file("curve.svg") << "\n\n";
  show_predictions(classes, data.test_images);
  std::cout << "test accuracy " << percent(accuracy(classes, data.test_images)) << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Trains the recipe's Net on Fashion-MNIST, saves it, loads it back and compares.");
  declare(app, options);
  CLI11_PARSE(app, argc, argv);
  try {
    run(options);
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
