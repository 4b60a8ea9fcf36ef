// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <teff/teff.h>

namespace models {

/// A network by name: "resnet18", with torchvision's architecture, initial weights and state-dict keys.
struct ZooEntry {
  std::string_view name;
  teff::Shape image;         // [C, H, W] of the images it was made for
  std::int64_t num_classes;  // unless another number is asked for
  std::function<std::shared_ptr<teff::nn::Module>(std::int64_t num_classes)> make;
};

/// All of them.
std::span<const ZooEntry> zoo();

/// @throws teff::ValueError that lists the names if this is none of them.
const ZooEntry& find_model(std::string_view name);

struct ModelOptions {
  std::optional<std::int64_t> num_classes = {};  // default: the network's own number
};

/// A new network in training mode: `make_model("resnet18", {.num_classes = 10})`.
/// @throws teff::ValueError for an unknown name.
std::shared_ptr<teff::nn::Module> make_model(std::string_view name, const ModelOptions& options = {});

}  // namespace models
