// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <thread>

#include "serialize/file_fixture.h"
#include "support/temp_file.h"

using namespace teff;
using namespace teff::testing;
namespace fs = std::filesystem;

namespace {

/// A folder with a saved file; afterwards nothing else may be in it.
class Fixture {
 public:
  Fixture() {
    save(old_, path);
    bytes_ = read_file(path);
  }

  /// Whether the file is bit by bit what it was and nothing was left behind.
  bool untouched() const { return read_file(path) == bytes_ && names() == 1; }
  std::size_t names() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()));
  }
  std::string failure() const {
    return error_of<IoError>([&] { save({{"w", ones({100000})}}, path); });
  }

  const TempFolder folder;
  const std::string path = folder / "model.teff";

 private:
  const Dict old_{{"w", tensor<std::int32_t>({1, 2, 3})}};
  std::string bytes_;
};

/// No file may grow beyond this size.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &limit_);
    const rlimit lower{bytes, limit_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &lower);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &limit_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit limit_{};
  void (*handler_)(int);
};

mode_t mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

}  // namespace

TEST_CASE("saving replaces the old file and leaves nothing else") {
  const Fixture fixture;
  for (const bool durable : {true, false}) {
    save({{"x", 1}}, fixture.path, {.durable = durable});
    CHECK(same(load(fixture.path), {{"x", 1}}));
    CHECK(fixture.names() == 1);
  }
}

TEST_CASE("a save that the system stops, at any size, keeps the old file") {
  const Fixture fixture;
  for (const rlim_t bytes : {0, 1, 63, 64, 500, 4096, 300000, 400000}) {
    const FileSizeLimit limit(bytes);
    CAPTURE(bytes);
    const std::string text = fixture.failure();
    CHECK(contains(text, "save: " + fixture.path + ": write to "));
    CHECK(contains(text, "File too large"));
    CHECK(fixture.untouched());
  }
  CHECK_NOTHROW(save({{"w", ones({100000})}}, fixture.path));
}

TEST_CASE("a save that the content stops keeps the old file") {
  const Fixture fixture;
  CHECK_THROWS_AS(save({{std::string(70000, 'k'), 1}}, fixture.path), ValueError);
  CHECK(fixture.untouched());
}

TEST_CASE("a save that finds no descriptor keeps the old file") {
  const Fixture fixture;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit none{0, limit.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &none);
  std::string text;
  try {
    save({{"x", 1}}, fixture.path);
  } catch (const IoError& error) {
    text = error.what();
  }
  ::setrlimit(RLIMIT_NOFILE, &limit);
  CHECK(contains(text, "Too many open files"));
  CHECK(fixture.untouched());
}

TEST_CASE("targets that cannot be files are refused with a reason") {
  const TempFolder folder;
  const auto refused = [](const std::string& path) { return error_of<IoError>([&] { save({}, path); }); };
  CHECK(contains(refused(folder.path()), "expected the path of a file, got a folder"));
  CHECK(contains(refused(folder.path() + "/"), "expected the path of a file, got a folder"));
  CHECK(contains(refused(""), "expected the path of a file, got an empty one"));
  CHECK(contains(refused(std::string("a\0b", 3)), "NUL"));
  CHECK(contains(refused(folder / "none/x.teff"), "create a file in folder"));
  CHECK(contains(refused(folder / "none/x.teff"), "No such file or directory"));
  CHECK(contains(refused("/dev/null"), "expected a regular file, got a device, pipe or socket"));
  CHECK(contains(refused(folder / std::string(300, 'n')), "File name too long"));
  CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("a file that may not be written is not replaced") {
  if (::geteuid() == 0) return;  // root may write to any
  const Fixture fixture;
  ::chmod(fixture.path.c_str(), 0444);
  CHECK(contains(fixture.failure(), "Permission denied"));
  CHECK(fixture.untouched());
}

TEST_CASE("a new file gets the usual permissions, a replaced one keeps its own") {
  const TempFolder folder;
  const std::string path = folder / "x.teff";
  const mode_t mask = ::umask(027);
  save({}, path);
  ::umask(mask);
  CHECK(mode_of(path) == 0640);
  for (const mode_t mode : {0600, 0664, 0755}) {
    ::chmod(path.c_str(), mode);
    save({}, path);
    CHECK(mode_of(path) == mode);
  }
}

TEST_CASE("a link stays, and what it points to is replaced") {
  const TempFolder folder;
  fs::create_directory(folder / "real");
  save({{"x", 1}}, folder / "real/x.teff");
  fs::create_symlink("real/x.teff", folder / "link.teff");
  fs::create_symlink(folder / "link.teff", folder / "second.teff");
  save({{"x", 2}}, folder / "second.teff");
  CHECK(fs::is_symlink(folder / "second.teff"));
  CHECK(fs::is_symlink(folder / "link.teff"));
  CHECK(!fs::is_symlink(folder / "real/x.teff"));
  CHECK(same(load(folder / "real/x.teff"), {{"x", 2}}));

  fs::create_symlink("real/new.teff", folder / "dangling.teff");
  save({{"x", 3}}, folder / "dangling.teff");
  CHECK(same(load(folder / "real/new.teff"), {{"x", 3}}));

  fs::create_symlink("circle.teff", folder / "circle.teff");
  CHECK(contains(error_of<IoError>([&] { save({}, folder / "circle.teff"); }), "Too many levels of symbolic links"));
}

TEST_CASE("an open file without a name is not saved to under another") {
  const TempFolder folder;
  for (const bool had_a_name : {true, false}) {
    const int file = had_a_name ? ::open((folder / "gone").c_str(), O_RDWR | O_CREAT, 0600)
                                : ::open(folder.path().c_str(), O_RDWR | O_TMPFILE, 0600);
    if (file < 0 && !had_a_name) break;  // the file system knows no such files
    REQUIRE(file >= 0);
    if (had_a_name) fs::remove(folder / "gone");
    const std::string path = "/proc/self/fd/" + std::to_string(file);
    CHECK(error_of<IoError>([&] {
            save({{"x", 1}}, path);
          }) == "save: " + path + ": expected a file that has a name, which a new one can take, got one without");
    ::close(file);
    CHECK(fs::is_empty(folder.path()));
  }
}

TEST_CASE("links of other users in a folder for all are not followed") {
  if (::geteuid() != 0) return;  // only root can make one
  const TempFolder folder;
  fs::create_directory(folder / "shared");
  ::chmod((folder / "shared").c_str(), 01777);
  save({{"x", 1}}, folder / "mine.teff");
  fs::create_symlink(folder / "mine.teff", folder / "shared/link.teff");
  REQUIRE(::lchown((folder / "shared/link.teff").c_str(), 12345, 12345) == 0);
  CHECK(contains(error_of<IoError>([&] {
                   save({{"x", 2}}, folder / "shared/link.teff");
                 }),
                 "expected no link of another user in a folder that all may write to, got one"));
  CHECK(same(load(folder / "mine.teff"), {{"x", 1}}));
  REQUIRE(::lchown((folder / "shared/link.teff").c_str(), ::geteuid(), ::getegid()) == 0);
  save({{"x", 2}}, folder / "shared/link.teff");
  CHECK(same(load(folder / "mine.teff"), {{"x", 2}}));
}

TEST_CASE("a replaced file keeps its owner and group where that may be") {
  if (::geteuid() != 0) return;  // others may not give files away
  const TempFolder folder;
  const std::string path = folder / "x.teff";
  save({}, path);
  REQUIRE(::chown(path.c_str(), 12345, 23456) == 0);
  REQUIRE(::chmod(path.c_str(), 0640) == 0);
  save({{"x", 1}}, path);
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK(status.st_uid == 12345);
  CHECK(status.st_gid == 23456);
  CHECK((status.st_mode & 0777) == 0640);
}

TEST_CASE("a path without a folder is in the current one") {
  const TempFolder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  save({{"x", 1}}, "here.teff");
  const Dict loaded = load("here.teff");
  fs::current_path(before);
  CHECK(same(loaded, {{"x", 1}}));
  CHECK(fs::exists(folder / "here.teff"));
}

TEST_CASE("a load beside running saves sees one whole version") {
  const TempFile file;
  const auto version = [](double value) { return Dict{{"a", full({5000}, value)}, {"b", full({5000}, value)}}; };
  save(version(0), file, {.durable = false});
  std::atomic<bool> done{false};
  const auto save_all = [&](int first) {
    for (int i = 0; i < 200; ++i) save(version(first + i), file, {.durable = false});
  };
  std::thread one(save_all, 1000), two(save_all, 2000);
  std::thread stop([&] {
    one.join();
    two.join();
    done = true;
  });
  int torn = 0;
  while (!done) {
    const Dict loaded = load(file);
    if (!(loaded.at("a") == loaded.at("b"))) ++torn;
  }
  stop.join();
  CHECK(torn == 0);
}

TEST_CASE("neither memory nor descriptors grow with the number of saves and loads") {
  const TempFile file;
  const int free_before = ::open("/dev/null", O_RDONLY);
  for (int i = 0; i < 300; ++i) {
    save({{"w", ones({100})}}, file, {.durable = false});
    load(file, {.mmap = i % 2 == 0});
    if (i % 10 == 0) write_file(file, "damaged");
    if (i % 10 == 0) CHECK_THROWS_AS(load(file), FormatError);
  }
  const int free_after = ::open("/dev/null", O_RDONLY);
  CHECK(free_after == free_before + 1);
  ::close(free_before);
  ::close(free_after);
}
