// SPDX-License-Identifier: MIT
#include "teff/serialize/io/json.h"

#include "serialize/file_fixture.h"

using namespace teff;
using namespace teff::serialize;
using namespace teff::testing;

namespace {

std::string string_of(std::string_view json) {
  JsonReader reader(json, 0);
  std::string text = reader.string();
  reader.finish();
  return text;
}

std::uint64_t integer_of(std::string_view json) {
  JsonReader reader(json, 0);
  const std::uint64_t value = reader.integer();
  reader.finish();
  return value;
}

/// The members of an object of strings, and the elements of an array of integers.
std::string object_of(std::string_view json) {
  JsonReader reader(json, 0);
  std::string text;
  reader.object([&](const std::string& key) { text += key + '=' + reader.string() + ';'; });
  reader.finish();
  return text;
}

std::string array_of(std::string_view json) {
  JsonReader reader(json, 0);
  std::string text;
  reader.array([&] { text += std::to_string(reader.integer()) + ';'; });
  reader.finish();
  return text;
}

template <class Read>
void check_refused(Read&& read, std::string_view json, const std::string& part) {
  CAPTURE(json);
  const std::string error = error_of<FormatError>([&] { read(json); });
  CHECK_MESSAGE(contains(error, part), error);
}

}  // namespace

TEST_CASE("strings with their escapes") {
  CHECK(string_of(R"("abc")") == "abc");
  CHECK(string_of(R"(  "" )").empty());
  CHECK(string_of(R"("\"\\\/\b\f\n\r\t")") == "\"\\/\b\f\n\r\t");
  CHECK(string_of(R"("\u0041\u00e9\u20AC\ud83D\ude00")") == "A\u00e9\u20ac\U0001f600");
  CHECK(string_of("\"\u00e9\U0001f600\"") == "\u00e9\U0001f600");
  CHECK(string_of(R"("\u0000")") == std::string(1, '\0'));
}

TEST_CASE("strings that are not JSON are refused") {
  check_refused(string_of, R"("abc)", "JSON at offset 4: expected the end of a string, got the end");
  check_refused(string_of, "'abc'", "expected '\"', got '''");
  check_refused(string_of, "", "expected '\"', got the end");
  check_refused(string_of, "\"a\nb\"", "expected no control character in a string");
  check_refused(string_of, R"("\x")", "expected an escape, got 'x'");
  check_refused(string_of, R"("\u12g4")", "expected four hexadecimal digits");
  check_refused(string_of, R"("\u12)", "expected four hexadecimal digits");
  check_refused(string_of, "\"\\", "expected an escape, got the end");
  check_refused(string_of, R"("\ud83d")", "expected the second half of a surrogate pair");
  check_refused(string_of, R"("\ud83d\u0041")", "expected the second half of a surrogate pair");
  check_refused(string_of, R"("\ude00")", "expected the first half of a surrogate pair");
  for (const char* bytes : {"\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xe2\x82\""}) {
    check_refused(string_of, bytes, "expected text in UTF-8");
  }
  check_refused(string_of, R"("a" x)", "expected the end, got 'x'");
}

TEST_CASE("whole numbers up to 64 bits") {
  CHECK(integer_of("0") == 0);
  CHECK(integer_of(" 18446744073709551615 ") == ~std::uint64_t{0});
  check_refused(integer_of, "18446744073709551616", "expected a number of at most 64 bits");
  check_refused(integer_of, "99999999999999999999999", "expected a number of at most 64 bits");
  for (const char* json : {"-1", "+1", "", "x", "1.0", "1e3", "1E3", ".5", "NaN", "\"1\"", "true"}) {
    check_refused(integer_of, json, "expected a whole number without sign");
  }
  check_refused(integer_of, "01", "without leading zeros");
  check_refused(integer_of, "1 2", "expected the end, got '2'");
}

TEST_CASE("objects and arrays") {
  CHECK(object_of("{}").empty());
  CHECK(object_of(R"({ "a" : "b" ,"c":"d"})") == "a=b;c=d;");
  CHECK(array_of("[ ]").empty());
  CHECK(array_of("[1 , 2]") == "1;2;");
  check_refused(object_of, R"({"a":"b",})", "expected '\"', got '}'");
  check_refused(object_of, R"({"a" "b"})", "expected ':', got '\\x22'");
  check_refused(object_of, R"({"a":"b")", "expected '}', got the end");
  check_refused(object_of, R"({a:"b"})", "expected '\"', got 'a'");
  check_refused(object_of, "[]", "expected '{', got '['");
  check_refused(object_of, R"({"a":{"a":{}}})", "expected '\"', got '{'");
  check_refused(array_of, "[1,]", "expected a whole number");
  check_refused(array_of, "[1 2]", "expected ']', got '2'");
  check_refused(array_of, std::string(1'000'000, '['), "expected a whole number");
}

TEST_CASE("text is written so that it is read again") {
  std::string all;
  for (int c = 0; c < 128; ++c) all += static_cast<char>(c);
  all += "\u00e9\U0001f600";
  CHECK(string_of(json_string(all)) == all);
  CHECK(json_string("a\"\\\n\x01/") == R"("a\"\\\n\u0001/")");
}
