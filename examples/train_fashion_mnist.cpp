// SPDX-License-Identifier: MIT
// Trains the recipe's Net, or a network with batch norm, on Fashion-MNIST, shows how it gets on, keeps
// checkpoints to resume from, saves the state dict and the entire model, loads both back and compares their
// predictions.

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

struct Options {
  std::string data;
  std::string out = "fashion_mnist_out";
  fashion::Settings settings;
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

/// What a run begins with: one that goes on has it from its file.
void declare_settings(CLI::App& app, Options& options) {
  fashion::Settings& settings = options.settings;
  for (CLI::Option* option :
       {app.add_option("--model", settings.model, "net: the recipe's; small_cnn: with batch norm")
            ->check(CLI::IsMember({"net", "small_cnn"})),
        app.add_option("--batch", settings.batch, "Images in a training batch")->check(number(1, 60000)),
        app.add_option("--lr", settings.lr, "Learning rate")->check(number(1e-12, 1e3)),
        app.add_option("--momentum", settings.momentum, "Momentum of SGD")->check(number(0, 1)),
        app.add_option("--weight-decay", settings.weight_decay, "Weight decay of SGD")->check(number(0, 1)),
        app.add_option("--schedule", settings.schedule,
                       "constant, or one_cycle: from --lr / 25 up to --lr and down to almost 0")
            ->check(CLI::IsMember({"constant", "one_cycle"})),
        app.add_option("--crop-padding", settings.crop_padding,
                       "Train on random crops of the images with so many black pixels around")
            ->check(number(0, 16)),
        app.add_flag("--flip", settings.flip, "Train on mirror images, too"),
        app.add_option("--seed", options.seed, "Seed of the weights and of all that is random")}) {
    option->excludes("--resume")->capture_default_str();
  }
}

void declare(CLI::App& app, Options& options) {
  app.add_option("--data", options.data,
                 "Folder with the four IDX files, gzip'd or not. Default: /usr/share/datasets/fashion-mnist "
                 "(Debian's "
                 "package dataset-fashion-mnist), else the 1250 images in examples/data")
      ->check(CLI::ExistingDirectory);
  app.add_option("--out", options.out, "Folder for the files that are written")->capture_default_str();
  app.add_option("--epochs", options.settings.epochs, "Epochs in all, those before a --resume included")
      ->check(number(1, 1e6))
      ->capture_default_str();
  app.add_option("--threads", options.threads, "Threads; 0: all cores. The results do not depend on it")
      ->check(number(0, 1024))
      ->capture_default_str();
  app.add_flag("--resume", options.resume,
               "Go on from the newest checkpoint in the folder --out, exactly as if there had been no break");
  declare_settings(app, options);
  app.footer(
      "Writes into the folder --out: settings.teff; after each epoch a checkpoint in checkpoints/, of which the\n"
      "last three and the best stay; at the end state_dict_model.teff, entire_model.teff and curve.svg, the\n"
      "training curve.");
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

/// Trains an epoch and returns the test accuracy.
double train_epoch(fashion::Training& training, const fashion::Data& data, const Options& options) {
  const std::string title =
      "epoch " + std::to_string(training.epoch() + 1) + "/" + std::to_string(options.settings.epochs);
  std::ostringstream summary;
  summary << title << ": ";
  {
    fashion::Progress progress(title, data.train_images.size(), std::cout, fashion::is_terminal());
    const double loss = training.run_epoch([&](std::int64_t done, double mean) { progress.update(done, mean); });
    summary << std::fixed << std::setprecision(4) << "loss " << loss << std::setprecision(1) << ", "
            << progress.seconds() << " s, " << std::setprecision(0) << progress.images_per_second() << " images/s";
  }
  const double right = accuracy(fashion::predict(training.model(), data.test), data.test_images);
  std::cout << summary.str() << ", test accuracy " << percent(right) << std::endl;
  return right;
}

/// Saves the trained network in both ways, loads both, and returns the predictions, which must be the same.
Tensor save_and_load_back(nn::Module& net, const data::DataLoader& test, const Options& options) {
  const Tensor expected = fashion::predict(net, test);
  const std::string state_dict = options.file("state_dict_model.teff");
  const std::string entire_model = options.file("entire_model.teff");
  save(net.state_dict(), state_dict);
  save_model(net, test.begin()->data.slice(0, 0, 4), entire_model);

  const std::unique_ptr<nn::Module> model = fashion::make_model(options.settings.model);
  model->load_state_dict(load(state_dict));
  nn::GraphModule entire = load_model(entire_model);
  for (nn::Module* loaded : {model.get(), static_cast<nn::Module*>(&entire)}) {
    if (ne(fashion::predict(*loaded, test), expected).sum().item<std::int64_t>() != 0) {
      throw Error("a loaded model predicts something else than the one that was saved");
    }
  }
  std::cout << "saved " << state_dict << " and " << entire_model << '\n'
            << "both were loaded again and give the same classes for all " << expected.numel() << " test images\n";
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

/// The settings of the run that goes on. It may become longer, unless its schedule has an end.
fashion::Settings load_settings(const Options& options, bool epochs_given) {
  fashion::Settings settings = fashion::Settings::from_dict(load(options.file("settings.teff")));
  if (!epochs_given) return settings;
  if (settings.schedule != "constant" && settings.epochs != options.settings.epochs) {
    throw ValueError("--resume: expected --epochs " + std::to_string(settings.epochs) + ", which the schedule " +
                     settings.schedule + " was made for, got " + std::to_string(options.settings.epochs));
  }
  settings.epochs = options.settings.epochs;
  return settings;
}

void run(Options options, bool epochs_given) {
  if (options.threads > 0) set_num_threads(options.threads);
  if (options.resume) options.settings = load_settings(options, epochs_given);
  const std::string folder = fashion::find_data(options.data);
  fashion::Data data(folder, options.settings);
  std::cout << folder << ": " << data.train_images.size() << " training and " << data.test_images.size()
            << " test images\n";

  Checkpoints checkpoints(options.file("checkpoints"), {.higher_is_better = true});
  manual_seed(options.seed);
  fashion::Training training(options.settings, data);
  if (options.resume) {
    std::cout << training.resume(checkpoints) << '\n';
  } else {
    fs::remove_all(options.file("checkpoints"));  // of an earlier run
    fs::create_directories(options.out);
  }
  save(options.settings.to_dict(), options.file("settings.teff"));
  std::cout << training.model() << std::endl;
  while (training.epoch() < options.settings.epochs) {
    training.save(checkpoints, train_epoch(training, data, options));
  }

  const Tensor classes = save_and_load_back(training.model(), data.test, options);
  fashion::write_svg(training.curve(), training.model().type_name() + " on Fashion-MNIST", options.file("curve.svg"));
  std::cout << "training curve: " << options.file("curve.svg") << "\n\n";
  show_predictions(classes, data.test_images);
  std::cout << "test accuracy " << percent(accuracy(classes, data.test_images)) << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Trains a network on Fashion-MNIST, saves it, loads it back and compares.");
  declare(app, options);
  CLI11_PARSE(app, argc, argv);
  try {
    run(options, app.count("--epochs") > 0);
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
