// SPDX-License-Identifier: MIT
#include "teff/nn/train/image_folder.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "teff/engine/error.h"
#include "teff/engine/ops.h"
#include "teff/engine/random.h"

namespace fs = std::filesystem;

namespace teff::data {
namespace {

using Strings = std::vector<std::string>;

bool is_picture(std::string name, const Strings& extensions) {
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return std::ranges::any_of(extensions, [&](const std::string& extension) { return name.ends_with(extension); });
}

Strings folders_of(const fs::path& root) {
  Strings names;
  for (const fs::directory_entry& entry : fs::directory_iterator(root)) {
    if (entry.is_directory()) names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

Strings pictures_below(const fs::path& folder, const Strings& extensions) {
  std::vector<std::pair<std::string, std::string>> found;  // folder and name
  constexpr auto options = fs::directory_options::follow_directory_symlink;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder, options)) {
    const fs::path& path = entry.path();
    if (entry.is_regular_file() && is_picture(path.filename().string(), extensions)) {
      found.emplace_back(path.parent_path().string(), path.filename().string());
    }
  }
  std::ranges::sort(found);
  Strings paths;
  for (const auto& [parent, name] : found) paths.push_back((fs::path(parent) / name).string());
  return paths;
}

std::string joined(const Strings& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace

ImageFolder::ImageFolder(const std::string& root, Loader loader, ImageFolderOptions options)
    : loader_(std::move(loader)), options_(std::move(options)) {
  if (!loader_) throw TypeError("ImageFolder: expected a loader, got an empty function");
  try {
    classes_ = folders_of(root);
    if (classes_.empty()) throw IoError(root + ": expected a folder for each class, got none");
    for (std::size_t i = 0; i < classes_.size(); ++i) {
      const std::string folder = (fs::path(root) / classes_[i]).string();
      const Strings paths = pictures_below(folder, options_.extensions);
      if (paths.empty()) {
        throw IoError(folder + ": expected pictures (" + joined(options_.extensions) + "), got none");
      }
      for (const std::string& path : paths) samples_.push_back({path, static_cast<std::int64_t>(i)});
    }
  } catch (const fs::filesystem_error& error) {
    throw IoError(root + ": expected folders that can be read, got " + error.code().message());
  }
}

Example ImageFolder::get_with(std::int64_t index, Generator& generator) const {
  if (index < 0 || index >= size()) {
    throw IndexError("ImageFolder: expected an index in [0, " + std::to_string(size()) + "), got " +
                     std::to_string(index));
  }
  const Sample& sample = samples_[static_cast<std::size_t>(index)];
  const Tensor image = loader_(sample.path);
  return {options_.transform ? options_.transform(image, generator) : image, scalar_tensor(sample.target)};
}

Example ImageFolder::get(std::int64_t index) { return get_with(index, default_generator()); }

Example ImageFolder::batch(std::span<const std::int64_t> indices) { return batch_with(indices, default_generator()); }

Example ImageFolder::batch_with(std::span<const std::int64_t> indices, Generator& generator) {
  std::vector<Tensor> images, targets;
  for (const std::int64_t index : indices) {
    Example example = get_with(index, generator);
    images.push_back(std::move(example.data));
    targets.push_back(std::move(example.target));
  }
  return {stack(images), stack(targets)};
}

}  // namespace teff::data
