// SPDX-License-Identifier: MIT
#include "teff/nn/train/scalar_log.h"

#include <doctest/doctest.h>

#include <unistd.h>

#include <fstream>
#include <iterator>
#include <limits>

#include "golden/train_golden.h"
#include "support/error_of.h"
#include "support/temp_file.h"
#include "teff/engine/error.h"

using namespace teff;
using testing::error_of;

namespace {

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("a CSV log has a row for each call, at once") {
  const testing::TempFolder directory;
  const std::string path = directory / "log.csv";
  CsvLog log(path, {"epoch", "loss, \"mean\"", "lr"});
  CHECK(content_of(path) == "epoch,\"loss, \"\"mean\"\"\",lr\n");
  log.add({1, 0.1, 1e-5});
  log.add({2, std::numeric_limits<double>::infinity(), -3.25});
  CHECK(content_of(path) == "epoch,\"loss, \"\"mean\"\"\",lr\n1.0,0.1,1e-05\n2.0,inf,-3.25\n");
  CHECK(error_of<ValueError>([&] { log.add({1}); }) == "CsvLog: expected 3 numbers, got 1");
  CHECK(error_of<IoError>([] { CsvLog("/dev/null/no", {"x"}); }) ==
        "CsvLog: expected a file that can be written, got \"/dev/null/no\"");
}

TEST_CASE("event files for TensorBoard have the bytes of its format") {
  const testing::TempFolder directory;
  const auto clock = [] { return 1700000000.25; };
  TensorBoardLog log(directory / "runs/first", {.clock = clock});
  log.add_scalar("loss/train", 0.1, 0);
  std::string long_tag;
  for (int i = 0; i < 70; ++i) long_tag += "\xc3\xa9";
  log.add_scalar(long_tag, -3.5, 300);
  log.add_scalar("x", std::numeric_limits<double>::infinity(), -1);
  std::vector<std::int64_t> bytes;
  for (const char byte : content_of(log.path())) bytes.push_back(static_cast<unsigned char>(byte));
  CHECK(bytes == golden::train::kEvents);
}

TEST_CASE("logs of one directory have files of their own") {
  const testing::TempFolder directory;
  const auto clock = [] { return 5.0; };
  TensorBoardLog first(directory.path(), {.clock = clock}), second(directory.path(), {.clock = clock});
  CHECK(first.path() == directory.path() + "/events.out.tfevents.5." + std::to_string(getpid()) + ".0");
  CHECK(second.path() == directory.path() + "/events.out.tfevents.5." + std::to_string(getpid()) + ".1");
  CHECK(error_of<IoError>([&] { TensorBoardLog(first.path()); }).starts_with("TensorBoardLog: expected a file"));
}
