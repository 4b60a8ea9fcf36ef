// SPDX-License-Identifier: MIT
#include <sys/stat.h>

#include <atomic>
#include <sstream>

#include "serialize/file_fixture.h"
#include "serialize/sample_models.h"
#include "support/temp_file.h"
#include "teff/serialize/contents.h"
#include "teff/serialize/formats.h"
#include "teff/serialize/open_contents.h"

using namespace teff;
using namespace teff::testing;

namespace {

/// Memory that counts what is read of it.
class CountedSource final : public serialize::ByteSource {
 public:
  explicit CountedSource(std::string bytes) : bytes_(std::move(bytes)) {}

  std::uint64_t size() const override { return bytes_.size(); }
  void read(std::span<serialize::Piece> pieces, std::uint64_t offset) const override {
    for (const serialize::Piece& piece : pieces) count_ += piece.size;
    serialize::MemorySource(std::as_bytes(std::span(bytes_))).read(pieces, offset);
  }

  /// Since it was asked last.
  std::uint64_t bytes_read() const { return count_.exchange(0); }

 private:
  std::string bytes_;
  mutable std::atomic<std::uint64_t> count_ = 0;
};

}  // namespace

TEST_CASE("a file's format is known by its content, whatever it is called") {
  const std::string rest(600, 'x');
  CHECK(contains(refusal("PK\x03\x04" + rest), "load: x.teff: zip: expected the end of the directory"));
  CHECK(contains(refusal("\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19" + rest), "load: x.teff: pickle: "));
  CHECK(contains(refusal(std::string("pickle\0", 7) + rest.substr(0, 250) + "ustar" + rest),
                 "it is a tar file, as PyTorch wrote before 0.1.10"));
  CHECK(contains(refusal(word(10) + "{\"a\":1234}"), "load: x.teff: JSON at offset 13"));
  CHECK(model_refusal("PK\x03\x04" + rest).starts_with("load_model: x.teff: zip: expected the end of the directory"));
  CHECK(model_refusal(word(2) + "{}") == "load_model: x.teff: expected a file with an entire model (.teff, ONNX, "
                                         "TorchScript), got a file in the format of safetensors, which holds no "
                                         "graph: use load");
}

TEST_CASE("damage by a transfer as text is told by name") {
  std::string file = saved({{"x", 1}});
  const std::string part = "as after a transfer as text";
  CHECK(contains(refusal(std::string(file).replace(5, 2, "\n")), part));
  CHECK(contains(refusal(std::string(file).replace(8, 1, "\r\n")), part));
  CHECK(contains(refusal(std::string(file).replace(0, 1, "\x09")), part));
  CHECK(contains(refusal(file.substr(0, 7)), "got 89 54 45 46 46 0d 0a"));
}

TEST_CASE("a dict file and a model file are not taken for each other") {
  TinyNet net;
  CHECK(refusal(saved_model(net, ones({1, 2}))) == "load: x.teff: it holds an entire model: use load_model");
  CHECK(model_refusal(saved({})) == "load_model: x.teff: it holds a dictionary (state dict or checkpoint): use load");
}

TEST_CASE("the extension decides how a dictionary is written; an entire model goes to .teff only") {
  const TempFolder folder;
  TinyNet net;
  for (const auto& [name, begin] : {std::pair("a.pt", "PK"),
                                    {"a.pth", "PK"},
                                    {"a.PT", "PK"},
                                    {"a.safetensors", "\x08"},
                                    {"a", "\x89TEFF"},
                                    {"a.teff", "\x89TEFF"},
                                    {"a.bin", "\x89TEFF"},
                                    {"pt", "\x89TEFF"}}) {
    const std::string path = folder / name;
    save({}, path);
    CHECK(read_file(path).starts_with(begin));
    CHECK(load(path).empty());
  }
  const std::string path = folder / "model.npz";
  CHECK(contains(error_of<ValueError>([&] {
                   save_model(net, ones({1, 2}), path);
                 }),
                 "expected the format .teff, ONNX or TorchScript for an entire model, got that of .npz"));
  CHECK(!std::filesystem::exists(path));
}

TEST_CASE("what is not a regular file is refused when loading") {
  const TempFolder folder;
  const auto refused = [](const std::string& path) { return error_of<IoError>([&] { load(path); }); };
  CHECK(contains(refused(folder.path()), "expected a file, got a folder"));
  CHECK(contains(refused("/dev/zero"), "expected a regular file, got a device, pipe or socket"));
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(contains(refused(folder / "pipe"), "expected a regular file"));
  CHECK(refused(folder / "none") ==
        "load: " + (folder / "none") + ": open " + (folder / "none") + ": No such file or directory");
  CHECK(contains(refused(""), "expected the path of a file, got an empty one"));
  CHECK(contains(refused(std::string("a\0b", 3)), "NUL"));
}

TEST_CASE("files of all formats are looked into without reading their tensors") {
  constexpr std::uint64_t kBytes = 4'000'000, kHead = 4'000;
  for (const FileFormat format : {FileFormat::teff, FileFormat::pytorch, FileFormat::safetensors, FileFormat::npz}) {
    CAPTURE(to_string(format));
    std::ostringstream stream;
    save({{"first", ones({1'000'000})}, {"second", arange(1'000'000).to(DType::float32)}}, stream, {.format = format});
    const auto source = std::make_shared<const CountedSource>(stream.str());
    CHECK(serialize::format_of(*source).id == format);
    const auto contents = serialize::open_contents(format, source, {});
    CHECK(source->bytes_read() < kHead);
    const Value second = serialize::read_value(*contents, contents->structure.at("second"));
    const std::uint64_t read = source->bytes_read();
    CHECK(read >= kBytes);
    CHECK(read <= kBytes + (format == FileFormat::npz ? 128 : 0));  // the checksum is that of the header, too
    CHECK(second == Value(arange(1'000'000).to(DType::float32)));
    CHECK(contents->check().empty());
    CHECK(source->bytes_read() < 2 * kBytes + kHead);
  }
}

TEST_CASE("entries of files of all formats tell where their elements are, and which are damaged") {
  const TempFile path;
  for (const FileFormat format : {FileFormat::teff, FileFormat::pytorch, FileFormat::safetensors, FileFormat::npz}) {
    CAPTURE(to_string(format));
    save({{"flags", tensor({true, false})}, {"other", tensor({1.5f, 2.5f})}}, path, {.format = format});
    std::string bytes = read_file(path);
    for (const FileEntry& entry : File(path).entries()) {
      REQUIRE(entry.offset);
      const Tensor value = File(path).read(entry.path).as_tensor();
      CHECK(bytes.substr(*entry.offset, entry.bytes) ==
            std::string(static_cast<const char*>(value.raw_data()), value.nbytes()));
      if (entry.path == "flags") bytes[*entry.offset] = 2;
    }
    write_file(path, bytes);
    const File file(path);
    CHECK_THROWS_AS(file.read("flags"), FormatError);
    CHECK(file.read("other") == Value(tensor({1.5f, 2.5f})));
    const std::vector<FileDamage> damages = file.verify();
    REQUIRE(damages.size() == 1);
    CHECK(damages[0].entry == "flags");
  }
}
