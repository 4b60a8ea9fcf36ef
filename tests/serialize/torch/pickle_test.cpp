// SPDX-License-Identifier: MIT
#include <limits>

#include "serialize/torch/zip_fixture.h"
#include "teff/serialize/torch/pickle_machine.h"
#include "teff/serialize/torch/pickle_opcodes.h"

using namespace teff;
using namespace teff::testing;

namespace {

/// The pickle in a file of PyTorch: {"v": what the pickle is}.
Value value_of(const std::string& pickle, const LoadOptions& options = {}) {
  return load_bytes(pt_of(kProto + dict(text("v") + pickle) + '.'), options).at("v");
}

/// What a pickle alone is refused with.
std::string refused(const std::string& pickle) {
  return error_of<FormatError>([&] { serialize::Pickle(std::as_bytes(std::span(pickle)), 1000); });
}

/// The same for a value in a file.
std::string value_refused(const std::string& pickle, const LoadOptions& options = {}) {
  return error_of<FormatError>([&] { value_of(pickle, options); });
}

std::string repeated(const std::string& part, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += part;
  return all;
}

}  // namespace

TEST_CASE("numbers and text of every opcode") {
  CHECK(value_of("K\xff") == Value(255));
  CHECK(value_of("M\xff\xff") == Value(65535));
  CHECK(value_of("J\xff\xff\xff\xff") == Value(-1));
  CHECK(value_of(std::string("\x8a\0", 2)) == Value(0));
  CHECK(value_of("\x8a\x01\xff") == Value(-1));
  CHECK(value_of("\x8a\x02\xff\x7f") == Value(32767));
  CHECK(value_of("\x8a\x08" + word(std::uint64_t{1} << 63)) == Value(std::numeric_limits<std::int64_t>::min()));
  CHECK(value_of(std::string("G\x3f\xf8\0\0\0\0\0\0", 9)) == Value(1.5));
  CHECK(value_of("N") == Value());
  CHECK(value_of("\x88") == Value(true));
  CHECK(value_of("\x89") == Value(false));
  CHECK(value_of(text("caf\u00e9")) == Value("caf\u00e9"));
  CHECK(value_of("\x8c\x02hi") == Value("hi"));
  CHECK(value_of("\x8d" + word(2) + "hi") == Value("hi"));
  CHECK(value_of("U\x02hi") == Value("hi"));
  CHECK(value_of("C\x01\xff") == Value(Bytes{std::byte{0xff}}));
  CHECK(value_of("U\x01\xff") == Value(Bytes{std::byte{0xff}}));
  CHECK(value_of(global("_codecs", "encode") + tuple(text("a\u00ff") + text("latin1")) + 'R') ==
        Value(Bytes{std::byte{'a'}, std::byte{0xff}}));
}

TEST_CASE("containers") {
  CHECK(value_of("](K\x01K\x02"
                 "e") == Value(List{1, 2}));
  CHECK(value_of("]K\x01"
                 "a") == Value(List{1}));
  CHECK(value_of(")") == Value(List{}));
  CHECK(value_of("K\x01K\x02\x86") == Value(List{1, 2}));
  CHECK(value_of(tuple("K\x01K\x02K\x03K\x04")) == Value(List{1, 2, 3, 4}));
  CHECK(value_of("\x8f(K\x07\x90") == Value(List{7}));
  CHECK(value_of(global("__builtin__", "set") + "](K\x07"
                                                "e\x85R") == Value(List{7}));
  CHECK(value_of("}" + text("k") + "K\x01s") == Value(Dict{{"k", 1}}));
  CHECK(value_of("}K\x05K\x01sJ\xff\xff\xff\xffK\x02s") == Value(Dict{{"5", 1}, {"-1", 2}}));
  const std::string pair = text("k") + "K\x01\x86";
  CHECK(value_of(global("collections", "OrderedDict") + "](" + pair + "e\x85R") == Value(Dict{{"k", 1}}));
  CHECK(value_of(global("collections", "Counter") + dict(text("k") + "K\x02") + "\x85R") == Value(Dict{{"k", 2}}));
  CHECK(value_of(global("torch", "Size") + "K\x02K\x03\x86\x85R") == Value(List{2, 3}));
  CHECK(value_of(global("torch", "device") + text("cuda") + "K\x01\x86R") == Value("cuda:1"));
  CHECK(value_of(global("torch", "float32")) == Value("torch.float32"));
}

TEST_CASE("the memo gives back what was put there") {
  CHECK(value_of("]q\x05h\x05\x86") == Value(List{List{}, List{}}));
  CHECK(value_of("K\x07\x94K\x08r" + number(1, 4) + "j" + number(1, 4) + "h" + number(0, 1) + "\x86\x87") ==
        Value(List{7, 8, List{8, 7}}));
  CHECK(contains(refused(kProto + "h\x05."), "memo 5 was never set"));
  CHECK(contains(refused(kProto + "]r\xff\xff\xff\xff."), "expected memo 0, got 4294967295"));
}

TEST_CASE("every opcode that files of PyTorch do not have is refused by name and offset") {
  for (const char opcode : std::string("2FPSVdgilp\x82\x83\x84\x97\x98")) {
    CAPTURE(opcode);
    const std::string name(serialize::opcode_name(static_cast<std::uint8_t>(opcode)));
    CHECK_FALSE(name.empty());
    CHECK(refused(kProto + "]" + opcode) ==
          "pickle: " + name +
              " at offset 1003: expected an opcode that files of PyTorch have: nothing of the pickle was run");
  }
  CHECK(contains(refused(kProto + "\xee"), "pickle: byte 0xee at offset 1002"));
}

TEST_CASE("classes and functions are refused by place and name, and never called") {
  const std::string attack = global("os", "system") + text("touch teff_was_here") + "\x85R";
  CHECK(contains(value_refused(attack), "frozensets of them, got \"v\" (os.system), of which nothing was run"));
  CHECK(contains(refusal(pt_of(kProto + attack + '.')), "got os.system, of which nothing was run"));
  CHECK(contains(value_refused(text("os") + text("system") + '\x93'), "\"v\" (the class or function os.system)"));
  for (const auto& [module, name] : {std::pair("builtins", "eval"),
                                     {"__builtin__", "getattr"},
                                     {"torch", "load"},
                                     {"torch._utils", "import_module"},
                                     {"torch.hub", "load"}}) {
    CHECK(contains(value_refused(global(module, name)), "of which nothing was run"));
    CHECK(contains(value_refused(global(module, name) + ")R"), "of which nothing was run"));
  }
  CHECK(contains(value_refused(global("torch\n", "x")), "pickle: byte 0x78 at offset"));
  CHECK(contains(value_refused(global("a\x1b[31m", "b")), "a\\x1b[31m.b"));
  CHECK(contains(value_refused(global("torch", "device") + ")R"), "entry \"v\": expected the name of a device"));
  CHECK(contains(value_refused(global("torch", "Size") + ")R"), "expected no torch.Size with 0 arguments"));
}

TEST_CASE("objects come back as their attributes on request, and are not made either") {
  const std::string object =
      global("my", "Class") + ")\x81" + dict(text("x") + "K\x01" + text("y") + tensor_pickle()) + "b";
  CHECK(contains(value_refused(object), "\"v\" (my.Class)"));
  const LoadOptions inert{.inert_objects = true};
  const Value value = value_of(object, inert);
  CHECK(value.as_dict().at("x") == Value(1));
  CHECK(value.as_dict().at("y") == Value(tensor<float>({1, 2})));
  CHECK(value_of(global("os", "system") + text("ls") + "\x85R", inert) == Value(List{"ls"}));
  CHECK(value_of(global("my", "f"), inert) == Value("my.f"));
  CHECK(value_of(global("my", "C") + ")\x81", inert) == Value(Dict{}));
  CHECK(value_of(global("my", "C") + ")\x81K\x05" + "b", inert) == Value(Dict{{"__state__", 5}}));
  CHECK(value_of(global("my", "C") + "K\x01\x85\x81" + dict(text("x") + "K\x02") + "b", inert) ==
        Value(Dict{{"__arguments__", List{1}}, {"x", 2}}));
  CHECK(value_of(global("my", "C") + ")\x81N" + dict(text("s") + "K\x02") + "\x86" + "b", inert) ==
        Value(Dict{{"s", 2}}));
  CHECK(value_of(global("my", "L") + ")\x81K\x05" + "a}b", inert) == Value(Dict{{"__items__", List{5}}}));
  CHECK(value_of(global("my", "C") + ")}\x92", inert) == Value(Dict{}));
  CHECK(value_of(global("my", "C") + "K\x01\x85" + dict(text("k") + "K\x02") + "\x92", inert) ==
        Value(List{1, Dict{{"k", 2}}}));
  CHECK(value_of("(" + global("my", "C") + "K\x01o", inert) == Value(List{1}));
  CHECK(value_of(global("my", "partial") + "K\x01\x85R" + ")R", inert) == Value(Dict{{"__function__", List{1}}}));
  CHECK(contains(value_refused(global("my", "C") + ")\x81}b}b"), "expected the state of an object once"));
}

TEST_CASE("what is not well-formed is refused") {
  const auto check = [](const std::string& pickle, const std::string& part) {
    const std::string error = refused(pickle);
    CHECK_MESSAGE(contains(error, part), error);
  };
  check("", "pickle: it is cut off: expected its end, got that of the bytes at offset 1000");
  check("\x80\x01N.", "expected protocol 2 to 5, got 1");
  check("\x80\x06N.", "expected protocol 2 to 5, got 6");
  check(kProto + kProto + "N.", "expected it as the first opcode only");
  check(kProto + "N", "it is cut off");
  check(kProto + ".", "STOP at offset 1002: expected 1 value on the stack, got fewer");
  check(kProto + "NN.", "expected one value on the stack, got more");
  check(kProto + "(N.", "expected one value on the stack, got more");
  check(kProto + "t.", "expected a mark on the stack, got none");
  check(kProto + "N(\x86.", "expected 2 values on the stack, got fewer");
  check(kProto + "X\xff\xff\xff\xff"
                 "abc",
        "BINUNICODE at offset 1002: expected 4294967295 bytes, got the end after 3");
  check(kProto + "\x8d" + word(~std::uint64_t{0}), "expected 18446744073709551615 bytes");
  check(kProto + "\x95" + word(1000) + "N.", "the frame is longer than what is left");
  check(kProto + text("\xff"), "expected text in UTF-8");
  check(kProto + text("\xed\xa0\x80"), "expected text in UTF-8");
  check(kProto + "a.", "expected 1 value on the stack");
  check(kProto + "Na.", "expected a list below its elements, got nothing");
  check(kProto + "NNa.", "expected a list to add to, got None");
  check(kProto + "]NNs.", "expected a dict to add to, got a list");
  check(kProto + "(a.", "expected 1 value on the stack, got fewer");
  check(kProto + "(e.", "expected a list below its elements, got nothing");
  check(kProto + "}(Nu.", "expected keys with values, got a key alone");
  check(kProto + "}Nb.", "got None for a dict");
  check(kProto + "N)R.", "expected a class or function with its arguments, got None");
  check(kProto + global("torch", "Size") + "NR.", "expected a tuple of arguments, got None");
  check(kProto + global("collections", "OrderedDict") + "N\x85R.", "expected a dict of nothing");
  check(kProto + global("collections", "OrderedDict") +
            "]N"
            "a\x85R.",
        "expected a list of pairs");
  check(kProto + "c" + std::string(300, 'x'), "expected a name or number of at most 255 bytes");
  check(kProto + "cabc", "expected the end of a name");
  check(kProto + "NN\x93.", "expected two names of at most 255 bytes");
}

TEST_CASE("keys must differ; what is more than a number is none") {
  CHECK(value_of("}NNs") == Value(Dict{{"None", Value()}}));
  CHECK(contains(value_refused("})Ns"), "\"v\" (a key that is a tuple)"));
  CHECK(
      contains(value_refused("}" + tensor_pickle() + "Ns"), "\"v\" (a key that is an object of torch._utils._rebuild"));
  CHECK(value_of("}K\x01Ns" + text("1") + "Ns") == Value(Dict{{"1", Value()}, {"'1'", Value()}}));
  CHECK(value_of("}" + text("1") + "NsK\x01Ns") == Value(Dict{{"1", Value()}, {"<1>", Value()}}));
  CHECK(contains(value_refused("}K\x01NsK\x01Ns"), "expected a key once, got it again"));
  CHECK(contains(value_refused("}" + text("a") + "Ns" + text("a") + "Ns"), "expected a key once, got it again"));
}

TEST_CASE("depth is limited, without a stack that could overflow") {
  CHECK(contains(value_refused(repeated("]", 100) + repeated("a", 99)), "deeper than 64"));
  CHECK(contains(value_refused(repeated("N\x85", 1) + repeated("\x85", 1'000'000)), "deeper than 64"));
  CHECK(contains(refused(kProto + repeated("]", 1'000'000)), "expected at most 2^17 values on the stack"));
  CHECK(contains(refused(kProto + repeated("(", 1'000'000)), "expected at most 2^17 marks"));
  std::string calls = tensor_pickle();
  for (int i = 0; i < 300; ++i) calls = global("torch._utils", "_rebuild_parameter") + calls + "\x89N\x87R";
  CHECK(contains(value_refused(calls), "objects deeper than 128 in each other"));
  const std::string of_type = global("torch._tensor", "_rebuild_from_type_v2");
  const std::string types = repeated(of_type + global("m", "T"), 10'000) + ")" + repeated("\x87", 10'000);
  CHECK(contains(value_refused(of_type + types + "R"), "a tensor that is made by torch._tensor._rebuild_from_type_v2"));
  const std::string objects = repeated(global("m", "C"), 10'000) + "K\x01" + repeated("\x85R", 10'000);
  CHECK(contains(error_of<FormatError>([&] { value_of(objects, {.inert_objects = true}); }), "deeper than 64"));
}

TEST_CASE("a list that contains itself is refused") {
  CHECK(contains(value_refused("]q\x05h\x05"
                               "a"),
                 "\"v[0]\" (a list that contains itself)"));
}

TEST_CASE("pickles that unfold without end are refused") {
  std::string doubling = "]q\x01", tuples = ")", empties = "]q\x01";
  for (int i = 1; i < 40; ++i) {
    const std::string id(1, static_cast<char>(i)), next(1, static_cast<char>(i + 1));
    doubling += "](h" + id + "h" + id + "eq" + next;
    tuples += std::string("q") + id + "h" + id + "\x86";
    empties += "](" + repeated("h" + id, 10) + "eq" + next;
  }
  const auto list_of = [](const std::string& bomb) { return "(" + bomb + "t"; };
  for (const std::string& bomb : {list_of(doubling), tuples, list_of(empties)}) {
    CHECK(contains(value_refused(bomb), "the pickle unfolds to much more than its own size"));
  }
  const std::string long_text = text(std::string(60'000, 'x')) + "q\x01";
  CHECK(contains(value_refused("](" + long_text + repeated("h\x01", 1000) + "e"), "unfolds to much more"));
  std::string dicts =
      global("collections", "OrderedDict") + "q\x02](" + repeated("K\x01K\x02\x86", 1000) + "e\x85q\x03R";
  dicts += repeated("h\x02h\x03R", 1000);
  CHECK(contains(refused(kProto + dicts), "expected at most as many elements as bytes, got more"));
}
