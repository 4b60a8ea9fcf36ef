// SPDX-License-Identifier: MIT
// Trains the recipe's Net in several processes, each on its part of Fashion-MNIST, and goes on where it stopped:
//
//   cmake -S . -B build -DTEFF_WITH_MPI=ON && cmake --build build
//   mpirun -np 2 build/examples/distributed FOLDER
//
// The folder is for the checkpoints, which process 0 writes and all read. An epoch ends with the same parameters in all
// processes, bit for bit.

#include <cstdlib>
#include <iostream>
#include <string>

#include <teff/nn/distributed/data_parallel.h>
#include <teff/teff.h>

#include "examples/fashion_mnist.h"
#include "examples/models/net.h"

using namespace teff;
using fashion::FashionMnist;

constexpr std::int64_t kEpochs = 3, kBatch = 64;  // of all processes together

double accuracy(nn::Module& net, FashionMnist& images) {
  const NoGradGuard no_grad;
  net.eval();
  metrics::Accuracy accuracy;
  for (const auto& [data, target] : data::DataLoader(images, {.batch_size = 250})) accuracy.add(net(data), target);
  net.train();
  return accuracy.value();
}

void train(distributed::ProcessGroup& group, const std::string& folder) {
  manual_seed(0);  // equal in all processes, so that all can go on from the checkpoint of one
  const std::string data_folder = fashion::find_data("");
  FashionMnist train_images(data_folder, FashionMnist::Part::train), test_images(data_folder, FashionMnist::Part::test);
  data::DistributedSampler sampler(train_images, {.num_replicas = group.size(), .rank = group.rank()});
  data::DataLoader loader(train_images, {.batch_size = kBatch / group.size(), .sampler = &sampler});

  Net net;
  optim::SGD optimizer(net.named_parameters(), {.lr = 0.02, .momentum = 0.9});
  TrainingState run;
  run.add("model", net).add("optimizer", optimizer).add("loader", loader);
  Checkpoints checkpoints(folder, {.higher_is_better = true});
  const ResumeReport resumed = checkpoints.resume(run);
  if (group.rank() == 0) std::cout << group.size() << " processes: " << resumed << '\n';
  distributed::DistributedDataParallel parallel(net, group);

  while (run.epoch < kEpochs) {
    sampler.set_epoch(run.epoch);
    double sum = 0;
    for (const auto& [images, labels] : loader) {
      optimizer.zero_grad();
      const Tensor loss = cross_entropy(parallel(images), labels);
      parallel.backward(loss);
      optimizer.step();
      ++run.step;
      sum += loss.item<double>();
    }
    ++run.epoch;
    const Tensor mean_loss = scalar_tensor<double>(sum / static_cast<double>(loader.size() * group.size()));
    group.all_reduce(mean_loss);
    const double right = accuracy(net, test_images);
    if (group.rank() == 0) {
      checkpoints.save(run, right);
      std::cout << "epoch " << run.epoch << ": loss " << mean_loss.item<double>() << ", test accuracy " << 100 * right
                << " %" << std::endl;
    }
    group.barrier();  // the checkpoint is there for all
  }
}

int main(int argc, char** argv) {
  distributed::ProcessGroup group;
  const std::string folder = argc > 1 ? argv[1] : "distributed_out";
  if (argc > 2 || folder.starts_with('-')) {
    if (group.rank() == 0) std::cerr << "usage: mpirun -np N distributed [FOLDER]    (distributed_out)\n";
    return folder == "--help" ? 0 : 2;
  }
  try {
    train(group, folder);
  } catch (const std::exception& error) {
    std::cerr << "error in process " << group.rank() << ": " << error.what() << '\n';
    group.abort();
  }
}
