// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <sstream>

#include "serialize/file_fixture.h"
#include "serialize/sample_models.h"
#include "support/temp_file.h"
#include "teff/teff.h"

using namespace teff;
using namespace teff::testing;

namespace {

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

Dict sample() {
  const Tensor big = arange(300'000).to(DType::float32);
  return {{"big", big}, {"view", big.view({3, 100'000})}, {"empty", zeros({0, 3})}, {"small", tensor<int8_t>({1, 2})}};
}

}  // namespace

TEST_CASE("a stream gets the bytes that a file gets") {
  const TempFile file;
  save(sample(), file);
  std::ostringstream stream;
  save(sample(), stream);
  CHECK(stream.str() == read_file(file));
}

TEST_CASE("a dictionary is loaded from memory and from a stream") {
  const std::string bytes = saved(sample());
  const Dict from_memory = load(bytes_of(bytes));
  CHECK(from_memory == sample());
  CHECK(from_memory.at("big").as_tensor().shares_memory_with(from_memory.at("view").as_tensor()));
  std::istringstream stream(bytes);
  CHECK(load(stream) == sample());
}

TEST_CASE("a model is written to a stream and loaded from memory and from a stream") {
  TinyNet net;
  const Tensor input = ones({1, 2});
  std::ostringstream out;
  save_model(net, input, out);
  const std::string bytes = out.str();
  CHECK(bytes == saved_model(net, input));
  std::istringstream in(bytes);
  for (nn::GraphModule model : {load_model(bytes_of(bytes)), load_model(in)}) {
    model.eval();
    net.eval();
    CHECK(Dict{{"y", model(input)}} == Dict{{"y", net(input)}});
  }
}

TEST_CASE("a stream that fails is an error") {
  std::ostringstream out;
  out.setstate(std::ios::badbit);
  CHECK(error_of<IoError>([&] { save({}, out); }) == "save: stream: the stream failed at offset 0");
  std::istringstream in("x");
  in.setstate(std::ios::badbit);
  CHECK(error_of<IoError>([&] { load(in); }) == "load: stream: the stream failed after 0 bytes");
}

TEST_CASE("streams that throw by themselves are read and written like others") {
  const Dict dict{{"w", ones({1000})}};
  std::stringstream stream;
  stream.exceptions(std::ios::badbit | std::ios::failbit | std::ios::eofbit);
  save(dict, stream);
  CHECK(load(stream) == dict);
  CHECK(stream.exceptions() == (std::ios::badbit | std::ios::failbit | std::ios::eofbit));

  struct Broken : std::streambuf {
    int_type underflow() override { throw std::runtime_error("broken"); }
    int_type overflow(int_type) override { throw std::runtime_error("broken"); }
    std::streamsize xsputn(const char*, std::streamsize) override { throw std::runtime_error("broken"); }
  } broken;
  for (const auto mask : {std::ios::goodbit, std::ios::badbit}) {
    std::istream in(&broken);
    in.exceptions(mask);
    CHECK_THROWS_AS(load(in), IoError);
    std::ostream out(&broken);
    out.exceptions(mask);
    CHECK_THROWS_AS(save(dict, out), IoError);
  }
}

TEST_CASE("every truncation in memory is refused") {
  const std::string bytes = saved({{"x", arange(3)}, {"y", "text"}});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK_THROWS_AS(load(bytes_of(bytes).first(size)), FormatError);
  }
}

TEST_CASE("memory and streams are not mapped") {
  const std::string bytes = saved({});
  const std::string reason = "load: expected a file where mmap is set, got memory or a stream";
  CHECK(error_of<ValueError>([&] { load(bytes_of(bytes), {.mmap = true}); }) == reason);
}
