// SPDX-License-Identifier: MIT
#include "teff/serialize/cereal.h"

#include <cereal/archives/binary.hpp>
#include <cereal/archives/json.hpp>
#include <cereal/archives/portable_binary.hpp>
#include <cereal/archives/xml.hpp>
#include <cereal/types/vector.hpp>
#include <cmath>
#include <limits>
#include <sstream>

#include "serialize/file_fixture.h"
#include "teff/nn/module.h"

using namespace teff;
using namespace teff::testing;

namespace {

template <class Output, class... T>
std::string written(const T&... values) {
  std::ostringstream stream;
  {
    Output archive(stream);
    archive(values...);
  }
  return stream.str();
}

template <class Input, class T>
T read(const std::string& text) {
  std::istringstream stream(text);
  Input archive(stream);
  T value;
  archive(value);
  return value;
}

Dict sample() {
  return {{"none", nullptr},
          {"yes", true},
          {"epoch", std::numeric_limits<std::int64_t>::min()},
          {"loss", 0.1},
          {"infinite", -std::numeric_limits<double>::infinity()},
          {"tiny", 5e-324},
          {"name", "Net <\"&>"},
          {"raw", Bytes{std::byte{0}, std::byte{200}, std::byte{3}, std::byte{4}}},
          {"weight", tensor({-0.0f, 1.5f, std::nanf("")}, {3, 1})},
          {"scalar", scalar_tensor<std::int64_t>(-3)},
          {"empty", zeros({0, 2}, {.dtype = DType::float16})},
          {"mask", tensor<bool>({true, false})},
          {"list", List{1, "two", List{}, Dict{{"three", 3.0}}}}};
}

}  // namespace

template <class O, class I>
struct Archives {
  using Output = O;
  using Input = I;
};
using Binary = Archives<cereal::BinaryOutputArchive, cereal::BinaryInputArchive>;
using Portable = Archives<cereal::PortableBinaryOutputArchive, cereal::PortableBinaryInputArchive>;
using Json = Archives<cereal::JSONOutputArchive, cereal::JSONInputArchive>;
using Xml = Archives<cereal::XMLOutputArchive, cereal::XMLInputArchive>;

TEST_CASE_TEMPLATE("dicts, values and tensors pass through any archive", A, Binary, Portable, Json, Xml) {
  using Output = typename A::Output;
  using Input = typename A::Input;
  CHECK(same(read<Input, Dict>(written<Output>(sample())), sample()));
  CHECK(read<Input, Value>(written<Output>(Value(List{1, sample()}))) == Value(List{1, sample()}));
  CHECK(Value(read<Input, Tensor>(written<Output>(eye(3)))) == Value(eye(3)));
  CHECK(!read<Input, Tensor>(written<Output>(Tensor())).defined());
  const std::vector<Tensor> several{eye(2), tensor<std::uint8_t>({1, 2, 3})};
  const auto loaded = read<Input, std::vector<Tensor>>(written<Output>(several));
  CHECK((loaded.size() == 2 && Value(loaded[1]) == Value(several[1])));
}

TEST_CASE_TEMPLATE("a parameter that is read requires a gradient", A, Binary, Json) {
  const nn::Parameter weight(ones({2}));
  const auto loaded = read<typename A::Input, nn::Parameter>(written<typename A::Output>(weight));
  CHECK(loaded.requires_grad());
}

TEST_CASE_TEMPLATE("a large tensor passes through a binary archive", A, Binary, Portable) {
  const Tensor large = rand({700, 1000});
  CHECK(Value(read<typename A::Input, Tensor>(written<typename A::Output>(large))) == Value(large));
}

TEST_CASE("a JSON archive names the fields") {
  const std::string text = written<cereal::JSONOutputArchive>(tensor<std::uint8_t>({1, 2, 3}));
  CHECK(contains(text, "\"dtype\": \"uint8\""));
  CHECK(contains(text, "\"data\": \"AQID\""));
  CHECK(contains(written<cereal::JSONOutputArchive>(sample()), "\"key\": \"epoch\""));
}

TEST_CASE("a binary archive with a wrong shape or length asks for little memory, and is refused") {
  const auto archive_of = [](const std::vector<std::int64_t>& shape, unsigned char dtype) {
    std::string text(1, static_cast<char>(dtype));
    text += word(shape.size());
    for (const std::int64_t size : shape) text += word(static_cast<std::uint64_t>(size));
    return text + std::string(8, '\0');
  };
  const auto read_tensor = [](const std::string& text) { return read<cereal::BinaryInputArchive, Tensor>(text); };
  CHECK(Value(read_tensor(archive_of({2}, 1))) == Value(zeros({2})));
  CHECK_THROWS_AS(read_tensor(archive_of({std::int64_t{1} << 50}, 1)), cereal::Exception);
  CHECK_THROWS_AS(read_tensor(archive_of({std::int64_t{1} << 40, 1 << 30}, 1)), ShapeError);
  CHECK_THROWS_AS(read_tensor(archive_of({-1}, 1)), ShapeError);
  CHECK_THROWS_AS(read_tensor(archive_of(std::vector<std::int64_t>(9, 1), 1)), FormatError);
  CHECK_THROWS_AS(read_tensor(archive_of({2}, 16)), FormatError);
  const auto read_value = [](const std::string& text) { return read<cereal::BinaryInputArchive, Value>(text); };
  CHECK_THROWS_AS(read_value("\x04" + word(std::uint64_t{1} << 60)), cereal::Exception);
  CHECK_THROWS_AS(read_value("\x07" + word(std::uint64_t{1} << 60)), cereal::Exception);
  CHECK_THROWS_AS(read_value("\x01\x02"), FormatError);
  CHECK_THROWS_AS(read_value("\x09"), FormatError);
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "\x07" + word(1);
  CHECK_THROWS_AS(read_value(deep), FormatError);
}

TEST_CASE("a JSON archive whose data do not fit the shape is refused") {
  std::string text = written<cereal::JSONOutputArchive>(tensor<std::uint8_t>({1, 2, 3}));
  text.replace(text.find("AQID"), 4, "AQI=");
  CHECK(error_of<FormatError>([&] { read<cereal::JSONInputArchive, Tensor>(text); }) ==
        "cereal: expected 3 bytes of data, got 2");
}
