// SPDX-License-Identifier: MIT
#include "teff/serialize/io/zip_reader.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sstream>

#include "serialize/torch/zip_fixture.h"
#include "support/temp_file.h"
#include "teff/serialize/io/file_reader.h"
#include "teff/serialize/io/zip_writer.h"

using namespace teff;
using namespace teff::testing;
using namespace teff::serialize;

namespace {

std::string zip_refused(const std::string& bytes) {
  return error_of<FormatError>([&] { ZipReader(MemorySource(std::as_bytes(std::span(bytes)))).check_packing(); });
}

void check_zip_refused(const std::string& bytes, const std::string& part) {
  const std::string error = zip_refused(bytes);
  CAPTURE(part);
  CHECK_MESSAGE(contains(error, part), error);
}

std::string content(const ZipReader& zip, const std::string& name) {
  const ZipEntry* entry = zip.find(name);
  REQUIRE(entry != nullptr);
  const std::vector<std::byte> bytes = zip.read(*entry, 10'000, true);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The sizes do not stand in the local header, but after the data.
ZipPart with_descriptor(const std::string& descriptor) {
  return {.name = "x/a", .data = "abc", .flags = 8, .gap = descriptor};
}

}  // namespace

TEST_CASE("entries that are written are read") {
  std::ostringstream stream;
  StreamSink sink(stream);
  ZipWriter writer(sink, "root");
  const std::string large(100'000, 'x');
  for (const auto& [name, data] : {std::pair("a", std::string("abc")), {"folder/b", large}, {"empty", {}}}) {
    writer.add(name, std::as_bytes(std::span(data)));
  }
  writer.finish();
  const std::string bytes = stream.str();
  const MemorySource source(std::as_bytes(std::span(bytes)));
  const ZipReader zip(source);
  CHECK(content(zip, "a") == "abc");
  CHECK(content(zip, "empty").empty());
  CHECK(zip.find("folder/b")->bytes == large.size());
  CHECK(zip.find("folder/b")->offset % 64 == 0);
  CHECK(zip.find("root/a") == nullptr);
  CHECK(contains(error_of<FormatError>([&] { zip.read(*zip.find("folder/b"), 1000, true); }),
                 "entry \"root/folder/b\": expected at most 1000 bytes, got 100000"));
}

TEST_CASE("the writer puts PyTorch's entries down as PyTorch did, byte for byte") {
  const std::string expected = read_file(TEFF_GOLDEN_DIR "/torch/state_dict.pt");
  const MemorySource source(std::as_bytes(std::span(expected)));
  const ZipReader zip(source);
  std::ostringstream stream;
  StreamSink sink(stream);
  ZipWriter writer(sink, "state_dict");
  for (const char* name :
       {"data.pkl", "data/0", "data/1", "data/2", "data/3", "data/4", "data/5", "data/6", "version"}) {
    const std::string data = content(zip, name);
    writer.add(name, std::as_bytes(std::span(data)));
  }
  writer.finish();
  CHECK(stream.str() == expected);
}

TEST_CASE("a plain zip file is good, and so are the forms of its descriptors") {
  const std::string plain = zip_of({{"x/a", "abc"}, {"x/b", ""}});
  CHECK_NOTHROW(ZipReader(MemorySource(std::as_bytes(std::span(plain)))));
  const std::string crc = number(0x352441c2, 4);  // of "abc"
  for (const std::string& good : {crc + number(3, 4) + number(3, 4), "PK\x07\x08" + crc + number(3, 4) + number(3, 4),
                                  "PK\x07\x08" + crc + word(3) + word(3)}) {
    const std::string bytes = zip_of({with_descriptor(good)});
    CHECK_NOTHROW(ZipReader(MemorySource(std::as_bytes(std::span(bytes)))));
  }
  check_zip_refused(zip_of({with_descriptor("PK\x07\x08" + crc + number(3, 4) + number(4, 4))}),
                    "what lies behind its bytes does not say what the directory says");
  check_zip_refused(zip_of({with_descriptor("")}), "expected the next entry right behind it");
}

TEST_CASE("tricks with names are refused") {
  check_zip_refused(zip_of({{"x/a", ""}, {"x/a", ""}}), "entry \"x/a\": expected a name once, got it again");
  for (const char* name : {"x/../a", "x/..", "/x/a", "x//a", "x/./a", "x\\a", ""}) {
    check_zip_refused(zip_of({{"x/b", ""}, {name, ""}}), "expected a relative name without .., got another");
  }
  check_zip_refused(zip_of({{std::string("x/\0a", 4), ""}}), "expected a relative name");
  check_zip_refused(zip_of({{"../a", ""}}), "expected a relative name");
  check_zip_refused(zip_of({{.name = "x/a", .data = "", .local_name = "x/b"}}), "its header has another name");
  check_zip_refused(zip_of({{"x/\x1b[31m", ""}, {"x/\x1b[31m", ""}}), "\"x/\\x1b[31m\"");
}

TEST_CASE("tricks with places are refused") {
  check_zip_refused(zip_of({{"x/a", "abc"}, {.name = "x/b", .data = "abc", .header = 0}}), "overlaps what follows it");
  check_zip_refused(zip_of({{"x/a", "abc"}, {.name = "x/b", .data = "abc", .header = 35}}), "overlaps");
  check_zip_refused(zip_of({{.name = "x/a", .data = "abc", .gap = "hole"}, {"x/b", ""}}),
                    "expected the next entry right behind it");
  check_zip_refused(zip_of({{.name = "x/a", .data = "abc", .gap = std::string(100, 'x')}, {"x/b", ""}}),
                    "expected no gap");
  check_zip_refused('x' + zip_of({{"x/a", "abc"}}), "expected a directory that ends at");
  check_zip_refused(zip_of({{.name = "x/a", .data = "abc", .packed = 1000, .bytes = 1000}}),
                    "expected its 1000 bytes before the directory");
  check_zip_refused(zip_of({{.name = "x/a", .data = "abc", .header = 30}}), "expected no gap");
  check_zip_refused(zip_of({{.name = "x/a", .data = "abc", .header = 0x7fffffff}}), "expected no gap");
}

TEST_CASE("the folder of all entries is found, with entries for folders and what macOS adds beside it") {
  const auto root_of = [](const std::vector<ZipPart>& parts) {
    const std::string bytes = zip_of(parts);
    const MemorySource source(std::as_bytes(std::span(bytes)));
    const ZipReader zip(source);
    CHECK((zip.root().empty() || zip.find("a") != nullptr));
    return std::string(zip.root());
  };
  CHECK(root_of({{"x/", ""}, {"x/a", "abc"}, {"x/y/", ""}, {"x/y/b", ""}}) == "x/");
  CHECK(root_of({{.name = "x/a", .data = "abc", .flags = 2}}) == "x/");  // zip -9
  CHECK(root_of({{"x/a", "abc"}, {"__MACOSX/x/._a", "mac"}}) == "x/");
  CHECK(root_of({{"__MACOSX/x/._a", "mac"}, {"x/a", "abc"}}) == "x/");
  CHECK(root_of({{"x/a", ""}, {"y/b", ""}}) == "");
  CHECK(root_of({{"a", ""}, {"x/b", ""}}) == "");
}

TEST_CASE("deflated entries are unpacked, whole or from the beginning") {
  const std::string packed("\x4b\x4c\x4a\x4e\x04\x23\x00", 7);  // of "abcabcabc"
  const auto part = [&](std::uint32_t bytes, const std::string& data) {
    return ZipPart{.name = "x/a", .data = data, .flags = 2, .method = 8, .crc = 0x462d4818, .bytes = bytes};
  };
  const std::string bytes = zip_of({part(9, packed)});
  const MemorySource source(std::as_bytes(std::span(bytes)));
  const ZipReader zip(source);
  zip.check_packing();
  CHECK(content(zip, "a") == "abcabcabc");
  std::string start(4, ' ');
  unpack(source, *zip.find("a"), std::as_writable_bytes(std::span(start)));
  CHECK(start == "abca");
  const auto unpacked = [&](const ZipPart& one) {
    const std::string other = zip_of({one});
    return error_of<FormatError>([&] {
      const MemorySource others(std::as_bytes(std::span(other)));
      const ZipReader reader(others);
      reader.check_packing();
      content(reader, "a");
    });
  };
  const std::string wrong = "bytes to unpack to ";
  CHECK(contains(unpacked(part(8, packed)), wrong + "8, got others"));
  CHECK(contains(unpacked(part(10, packed)), wrong + "10, got others"));
  CHECK(contains(unpacked(part(9, packed + "x")), wrong + "9, got others"));
  CHECK(unpacked(part(9, packed.substr(0, 4))) == "zip: entry \"x/a\": deflate: the packed bytes end too early");
  ZipPart other_sum = part(9, packed);
  other_sum.crc = 1;
  CHECK(contains(unpacked(other_sum), "damaged: expected CRC-32 00000001"));
}

TEST_CASE("packed entries unfold to 16 times the file and 16 MiB at most") {
  ZipPart part{.name = "x/a", .data = "abc", .method = 8, .bytes = 17'000'000};
  check_zip_refused(zip_of({part}), "entry \"x/a\": expected compressed entries of at most 16778928 bytes together (16 "
                                    "MiB and 16 times the file), got more: unpack the file and pack it again");
  part.bytes = 9'000'000;
  const std::string small = zip_of({part});
  const MemorySource source(std::as_bytes(std::span(small)));
  CHECK_NOTHROW(ZipReader(source).check_packing());
  ZipPart second = part;
  second.name = "x/b";
  check_zip_refused(zip_of({part, second}), "entry \"x/b\": expected compressed entries of at most");
}

TEST_CASE("entries packed otherwise or encrypted, and those with other flags, are refused") {
  check_zip_refused(zip_of({{.name = "x/a", .data = "abc", .method = 12}}),
                    "it is compressed by method 12, which is read nowhere here");
  check_zip_refused(zip_of({{.name = "x/a", .data = "abc", .flags = 1}}), "it is encrypted");
  check_zip_refused(zip_of({{.name = "x/a", .data = "abc", .flags = 0x40}}),
                    "expected no flags but 1, 2, 3 and 11, got 64");
  check_zip_refused(zip_of({{.name = "x/a", .data = "abc", .bytes = 4}}),
                    "expected as many bytes packed as unpacked, got 3 and 4");
}

TEST_CASE("a comment ends the file, of any length") {
  for (const std::size_t length : {1u, 21u, 22u, 23u, 98u, 99u, 65'535u}) {
    const std::string file = zip_of({{"x/a", "abc"}, {"x/b", "de"}}, {.comment = std::string(length, 'c')});
    const MemorySource source(std::as_bytes(std::span(file)));
    CHECK(content(ZipReader(source), "b") == "de");
  }
}

TEST_CASE("an end that lies is refused") {
  const std::vector<ZipPart> parts{{"x/a", "abc"}};
  check_zip_refused("", "expected the end of the directory as the last bytes");
  check_zip_refused(zip_of(parts) + '\0', "the file was cut off, or something was appended");
  check_zip_refused(zip_of(parts, {.comment = "hello"}) + '!', "something was appended");
  const std::string cut = zip_of(parts, {.comment = "hello"});
  check_zip_refused(cut.substr(0, cut.size() - 1), "the file was cut off");
  check_zip_refused(zip_of(parts, {.comment = zip_of(parts)}), "expected a directory that ends at");
  check_zip_refused(zip_of({{.name = "x/a", .data = "", .extra = number(9, 2) + number(60, 2) + std::string(60, 'x')}},
                           {.entries = 2}),
                    "the directory ends in entry 1");
  check_zip_refused(zip_of(parts, {.entries = 0}), "expected the end of the directory, got 49 bytes");
  check_zip_refused(zip_of({}), "expected an entry, got none");
  check_zip_refused(zip_of(parts, {.entries = 2}), "46 bytes or more for each entry");
  check_zip_refused(zip_of(parts, {.bytes = 10}), "expected a directory that ends at");
  check_zip_refused(zip_of(parts, {.offset = 0xfffffffe}), "expected a directory that ends at");
  check_zip_refused(zip_of({{"x/a", std::string(100, 'x')}}, {.offset = 0xffffffff}),
                    "expected a ZIP64 directory, got none");
}

TEST_CASE("ZIP64 numbers are used, and must agree") {
  const auto wide = [](std::uint64_t bytes) { return number(1, 2) + number(16, 2) + word(bytes) + word(bytes); };
  const ZipPart part{.name = "x/a", .data = "abc", .extra = wide(3), .packed = 0xffffffff, .bytes = 0xffffffff};
  const std::string bytes = zip_of({part});
  const MemorySource source(std::as_bytes(std::span(bytes)));
  CHECK(content(ZipReader(source), "a") == "abc");
  const auto with = [&](const std::string& extra) {
    ZipPart other = part;
    other.extra = extra;
    return zip_of({other});
  };
  check_zip_refused(with(""), "expected a ZIP64 field, got none");
  check_zip_refused(with(wide(3) + wide(3)), "expected no ZIP64 field, or no further one, got one");
  check_zip_refused(with(wide(~std::uint64_t{0})), "before the directory, got the end");
  check_zip_refused(with(number(1, 2) + number(8, 2) + word(3)), "its ZIP64 field is too short");
  check_zip_refused(with(number(1, 2) + number(100, 2)), "an extra field is longer than what holds it");
  check_zip_refused(with("abc"), "expected extra fields of at least 4 bytes");
}

TEST_CASE("damage is told by both checksums, and none is expected where the writer computed none of all") {
  const std::string bytes =
      zip_of({{.name = "x/a", .data = "abc", .crc = 1}, {.name = "x/b", .data = "abc", .crc = 0}});
  const MemorySource source(std::as_bytes(std::span(bytes)));
  const ZipReader zip(source);
  CHECK(error_of<FormatError>([&] { content(zip, "a"); }) ==
        "zip: entry \"x/a\" at offset 33: damaged: expected CRC-32 00000001, got 352441c2");
  CHECK(contains(error_of<FormatError>([&] { content(zip, "b"); }), "damaged: expected CRC-32 00000000, got 352441c2"));
  const std::string none = zip_of({{.name = "x/a", .data = "abc", .crc = 0}, {.name = "x/b", .data = "abd", .crc = 0}});
  const MemorySource without(std::as_bytes(std::span(none)));
  CHECK(content(ZipReader(without), "b") == "abd");
}

TEST_CASE("an archive of more than 4 GiB is written and read with 64 bits") {
  /// Keeps what is short; the rest becomes a hole.
  struct SparseSink final : ByteSink {
    explicit SparseSink(const std::string& path) : descriptor(::open(path.c_str(), O_RDWR | O_CREAT, 0600)) {}
    ~SparseSink() override { ::close(descriptor); }
    void write(std::span<Piece> pieces, std::uint64_t offset) override {
      for (const Piece& piece : pieces) {
        const bool kept = piece.size < 100'000;
        if (kept) REQUIRE(::pwrite(descriptor, piece.data, piece.size, static_cast<off_t>(offset)) >= 0);
        offset += piece.size;
      }
    }
    bool is_rewritable() const override { return false; }
    int descriptor;
  };
  constexpr std::size_t kBytes = (std::size_t{1} << 32) + 256 * 1024;
  void* zeros = ::mmap(nullptr, kBytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  REQUIRE(zeros != MAP_FAILED);
  const TempFile file("large.pt");
  SparseSink sink(file);
  ZipWriter writer(sink, "x");
  writer.add("large", {static_cast<const std::byte*>(zeros), kBytes});
  writer.add("after", std::as_bytes(std::span("abc", 3)));
  writer.finish();
  ::munmap(zeros, kBytes);
  const FileReader source(file);
  const ZipReader zip(source);
  CHECK(zip.find("large")->bytes == kBytes);
  CHECK(zip.find("large")->crc != 0);
  CHECK(zip.find("after")->header > kBytes);
  CHECK(zip.find("after")->offset % 64 == 0);
  CHECK(content(zip, "after") == "abc");
}
