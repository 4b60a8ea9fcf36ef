// SPDX-License-Identifier: MIT
#include "teff/serialize/training/checkpoint.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <ostream>

#include "teff/engine/error.h"
#include "teff/serialize/file.h"
#include "teff/serialize/save_load.h"

namespace teff {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "checkpoint-", kExtension = ".teff";

/// The step of a checkpoint's file name; nothing for other files.
std::optional<std::int64_t> step_of(std::string_view name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kExtension)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  name.remove_suffix(std::min(name.size(), kExtension.size()));
  std::int64_t step = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), step);
  const bool number = error == std::errc() && end == name.data() + name.size() && step >= 0;
  return number ? std::optional(step) : std::nullopt;
}

[[noreturn]] void throw_io_error(const std::string& what, const std::string& path, const std::error_code& error) {
  throw IoError("Checkpoints: " + what + ' ' + path + ": " + error.message());
}

std::optional<double> metric_of(const Dict& dict) {
  const Value& metric = dict.at("metric");
  return metric.is_none() ? std::nullopt : std::optional(metric.as_float());
}

/// What the header of a file says; nothing if it cannot be read.
std::optional<CheckpointInfo> read_info(CheckpointInfo file) {
  try {
    file.metric = metric_of(File(file.path).structure());
    return file;
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// A reason as part of a longer text.
std::string refusals(const std::vector<ResumeReport::Refused>& refused) {
  std::string text;
  for (const auto& [path, reason] : refused) text += "\n\t" + reason;
  return text;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const ResumeReport& report) {
  out << (report.loaded ? "resumed from " + report.loaded->path : std::string("no checkpoint"));
  for (const auto& [path, reason] : report.refused) out << "\npassed over: " << reason;
  return out;
}

Checkpoints::Checkpoints(std::string folder, const CheckpointsOptions& options)
    : folder_(std::move(folder)), options_(options) {
  if (options.keep_last < 1) {
    throw ValueError("Checkpoints: expected keep_last >= 1, got " + std::to_string(options.keep_last));
  }
}

std::string Checkpoints::path_of(std::int64_t step) const {
  char digits[24];
  std::snprintf(digits, sizeof digits, "%010lld", static_cast<long long>(step));
  return (fs::path(folder_) / (std::string(kPrefix) + digits + std::string(kExtension))).string();
}

/// All files that are named like checkpoints, by step.
std::vector<CheckpointInfo> Checkpoints::files() const {
  std::vector<CheckpointInfo> files;
  std::error_code error;
  fs::directory_iterator entry(folder_, error);
  if (error == std::errc::no_such_file_or_directory) return files;
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::optional<std::int64_t> step = step_of(entry->path().filename().string());
    if (step) files.push_back({entry->path().string(), *step});
  }
  if (error) throw_io_error("read folder", folder_, error);
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.step < b.step; });
  return files;
}

std::vector<CheckpointInfo> Checkpoints::list() const {
  std::vector<CheckpointInfo> readable;
  for (CheckpointInfo& file : files()) {
    if (refused_.contains(file.path)) continue;
    if (std::optional<CheckpointInfo> info = read_info(std::move(file))) readable.push_back(std::move(*info));
  }
  return readable;
}

std::optional<CheckpointInfo> Checkpoints::best_of(const std::vector<CheckpointInfo>& checkpoints) const {
  const CheckpointInfo* best = nullptr;
  for (const CheckpointInfo& checkpoint : checkpoints) {
    if (!checkpoint.metric || std::isnan(*checkpoint.metric)) continue;
    const bool better = best == nullptr || (options_.higher_is_better ? *checkpoint.metric > *best->metric
                                                                      : *checkpoint.metric < *best->metric);
    if (better) best = &checkpoint;
  }
  return best == nullptr ? std::nullopt : std::optional(*best);
}

std::optional<CheckpointInfo> Checkpoints::best() const { return best_of(list()); }

std::string Checkpoints::save(const TrainingState& run, std::optional<double> metric) {
  if (run.step < 0) throw ValueError("Checkpoints: expected step >= 0, got " + std::to_string(run.step));
  for (const CheckpointInfo& file : files()) {
    if (file.step <= run.step || refused_.contains(file.path)) continue;
    throw ValueError("Checkpoints: expected a step after that of the checkpoints in the folder, got " +
                     std::to_string(run.step) + " beside " + file.path + ": resume, or use another folder");
  }
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) throw_io_error("create folder", folder_, error);
  Dict dict = run.state_dict();
  dict.insert("metric", metric ? Value(*metric) : Value());
  const std::string path = path_of(run.step);
  teff::save(dict, path, {.durable = options_.durable});
  refused_.erase(path);
  remove_old(run.step);
  return path;
}

/// Removes what is older than the last checkpoints up to `step`, but for the best. Files that cannot be read are not
/// among them: what is wrong with them is for the user to see.
void Checkpoints::remove_old(std::int64_t step) const {
  std::vector<CheckpointInfo> known = list();
  std::erase_if(known, [&](const CheckpointInfo& checkpoint) { return checkpoint.step > step; });
  const std::optional<CheckpointInfo> best = options_.keep_best ? best_of(known) : std::nullopt;
  const std::size_t keep = static_cast<std::size_t>(options_.keep_last);
  for (std::size_t i = 0; i + keep < known.size(); ++i) {
    if (best && known[i].path == best->path) continue;
    std::error_code error;
    fs::remove(known[i].path, error);
    if (error) throw_io_error("the new checkpoint is in place, but cannot remove", known[i].path, error);
  }
}

ResumeReport Checkpoints::resume(TrainingState& run) {
  ResumeReport report;
  std::vector<CheckpointInfo> all = files();
  for (; !all.empty(); all.pop_back()) {
    CheckpointInfo& file = all.back();
    Dict dict;
    try {
      dict = load(file.path);
      file.metric = metric_of(dict);
    } catch (const Error& error) {
      report.refused.push_back({file.path, error.what()});
      continue;
    }
    dict.erase("metric");
    try {
      run.load_state_dict(dict);
    } catch (const StateDictError& error) {
      throw StateDictError("Checkpoints: " + file.path + ": " + error.what());
    }
    report.loaded = std::move(file);
    break;
  }
  if (!report.loaded && !report.refused.empty()) {
    throw FormatError("Checkpoints: expected a checkpoint that can be read in folder " + folder_ +
                      ", got none:" + refusals(report.refused));
  }
  for (const ResumeReport::Refused& refused : report.refused) refused_.insert(refused.path);
  return report;
}

}  // namespace teff
