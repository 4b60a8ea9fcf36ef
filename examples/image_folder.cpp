// SPDX-License-Identifier: MIT
#include "examples/image_folder.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <utility>

#include "examples/image_file.h"

namespace fs = std::filesystem;

namespace images {
namespace {

constexpr std::array<std::string_view, 5> kExtensions = {".png", ".jpg", ".jpeg", ".ppm", ".pgm"};

bool is_picture(const fs::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return std::ranges::find(kExtensions, extension) != kExtensions.end();
}

std::vector<std::string> folders_of(const fs::path& root) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(root)) {
    if (entry.is_directory()) names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

std::vector<std::string> pictures_below(const fs::path& folder) {
  std::vector<std::pair<std::string, std::string>> found;  // folder and name
  constexpr auto options = fs::directory_options::follow_directory_symlink;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder, options)) {
    const fs::path& path = entry.path();
    if (entry.is_regular_file() && is_picture(path)) {
      found.emplace_back(path.parent_path().string(), path.filename().string());
    }
  }
  std::ranges::sort(found);
  std::vector<std::string> paths;
  for (const auto& [parent, name] : found) paths.push_back((fs::path(parent) / name).string());
  return paths;
}

}  // namespace

ImageFolder::ImageFolder(const std::string& root, Transform transform) : transform_(std::move(transform)) {
  try {
    classes_ = folders_of(root);
    if (classes_.empty()) throw teff::IoError(root + ": expected a folder for each class, got none");
    for (std::size_t i = 0; i < classes_.size(); ++i) {
      const std::string folder = (fs::path(root) / classes_[i]).string();
      const std::vector<std::string> paths = pictures_below(folder);
      if (paths.empty()) throw teff::IoError(folder + ": expected pictures (.png, .jpg, .jpeg, .ppm, .pgm), got none");
      for (const std::string& path : paths) samples_.push_back({path, static_cast<std::int64_t>(i)});
    }
  } catch (const fs::filesystem_error& error) {
    throw teff::IoError(root + ": expected folders that can be read, got " + error.code().message());
  }
}

teff::data::Example ImageFolder::get(std::int64_t index) {
  if (index < 0 || index >= size()) {
    throw teff::IndexError("ImageFolder: expected an index below " + std::to_string(size()) + ", got " +
                           std::to_string(index));
  }
  const Sample& sample = samples_[static_cast<std::size_t>(index)];
  return {transform_(read_image(sample.path)), teff::scalar_tensor(sample.target)};
}

}  // namespace images
