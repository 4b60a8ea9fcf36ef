// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "serialize/script/script_text.h"
#include "support/error_of.h"
#include "teff/engine/error.h"

using namespace teff;
using namespace teff::serialize;
using namespace teff::testing;

namespace {

/// The function's body, from line 2.
ScriptFunction function_of(const std::string& body) {
  ScriptFile file = parse_script("def f(x):\n" + body);
  REQUIRE(file.functions.size() == 1);
  return file.functions[0];
}

std::string body_of(const std::string& body) {
  const std::string text = text_of(parse_script("def f(x):\n" + body));
  return text.substr(text.find('\n') + 1);
}

/// Of `y = ...`.
std::string tree(const std::string& expression) {
  return tree_of(function_of("  y = " + expression + "\n").body.at(0).value);
}

std::string refusal(const std::string& code) {
  return error_of<FormatError>([&] { parse_script(code); });
}

std::string unread(const std::string& code) {
  return error_of<UnsupportedError>([&] { parse_script(code); });
}

/// Of `y = ...` in line 2.
std::string refused(const std::string& expression) { return refusal("def f(x):\n  y = " + expression + "\n"); }

std::string repeated(const std::string& text, int count) {
  std::string result;
  for (int i = 0; i < count; ++i) result += text;
  return result;
}

/// So many ifs in each other, the first line of which is the second of the code.
std::string nested_ifs(int count) {
  std::string code = "def f(x):\n";
  for (int i = 1; i <= count; ++i) code += std::string(2 * static_cast<std::size_t>(i), ' ') + "if x:\n";
  return code + std::string(2 * static_cast<std::size_t>(count) + 2, ' ') + "return x\n";
}

}  // namespace

// --- expressions

TEST_CASE("TorchScript's values") {
  CHECK(tree("None") == "None");
  CHECK(tree("(True, False)") == "(tuple True False)");
  CHECK(tree("[1, -2, 9223372036854775807, -9223372036854775808]") ==
        "(list 1 -2 9223372036854775807 -9223372036854775808)");
  CHECK(tree("[2., 1.0000000000000001e-05, -0.5, .25, 1e300, 4.9406564584124654e-324]") ==
        "(list real 1p+1 real 1.4f8b588e368f1p-17 real -1p-1 real 1p-2 real 1.7e43c8800759cp+996 real "
        "0.0000000000001p-1022)");
  CHECK(tree("[inf, -inf, nan, -nan]") == "(list inf -inf nan nan)");
  CHECK(tree("{1: \"a\", \"b\": [], }") == "(dict 1 \"a\" \"b\" (list))");
  CHECK(tree("[(), (x,), (x), ((1), 2, )]") == "(list (tuple) (tuple x) x (tuple 1 2))");
}

TEST_CASE("texts of TorchScript with Python's escapes, bytes in octal") {
  CHECK(tree(R"("plain 'single' # no comment")") == R"("plain 'single' # no comment")");
  CHECK(tree(R"('a "double" one')") == R"("a \x22double\x22 one")");
  CHECK(tree(R"("\\ \' \" \a\b\f\n\r\t\v")") == R"("\x5c ' \x22 \x07\x08\x0c\x0a\x0d\x09\x0b")");
  CHECK(tree(R"("\000\001\1777\7\303\251")") == R"("\x00\x01\x7f7\x07\xc3\xa9")");
  CHECK(tree(R"("\x41\u00e9\U0001f600")") == R"("A\xc3\xa9\xf0\x9f\x98\x80")");
  CHECK(tree(R"("\d\(")") == R"("\x5cd\x5c(")");
  CHECK(tree("\"\xc3\xa9\"") == R"("\xc3\xa9")");
}

TEST_CASE("calls of TorchScript's code") {
  CHECK(tree("torch.add(x, 1, alpha=2)") == "(call (.add torch) x 1 alpha=2)");
  CHECK(tree("(conv).forward(x, )") == "(call (.forward conv) x)");
  CHECK(tree("(getattr(self, \"0\")).forward(x, )") == "(call (.forward (call getattr self \"0\")) x)");
  CHECK(tree("__torch__.torch.nn.functional.___torch_mangle_1.relu(x, False, )") ==
        "(call (.relu (.___torch_mangle_1 (.functional (.nn (.torch __torch__))))) x False)");
  CHECK(tree("ops.prim.NumToTensor(CONSTANTS.c0)") == "(call (.NumToTensor (.prim ops)) (.c0 CONSTANTS))");
  CHECK(tree("f()(x)[0].shape") == "(.shape (item (call (call f) x) 0))");
}

TEST_CASE("types among the arguments of a TorchScript call become texts") {
  CHECK(tree("annotate(Dict[str, List[Tuple[int, Tensor]]], {})") ==
        R"((call annotate "Dict[str,List[Tuple[int,Tensor]]]" (dict)))");
  CHECK(tree("unchecked_cast(__torch__.torch.Pair, x)") == R"((call unchecked_cast "__torch__.torch.Pair" x))");
  CHECK(tree("uninitialized(Tuple[()])") == R"((call uninitialized "Tuple[()]"))");
  CHECK(tree("isinstance(x, (str, List[int]))") == "(call isinstance x \"(str,List[int])\")");
  CHECK(tree("isinstance(x, NoneType)") == R"((call isinstance x "NoneType"))");
}

TEST_CASE("what TorchScript says without a call becomes one") {
  CHECK(tree("(x)[0:2]") == "(call (.slice torch) x 0 2)");
  CHECK(tree("x[:-1]") == "(call (.slice torch) x None -1)");
  CHECK(tree("x[n:]") == "(call (.slice torch) x n None)");
  CHECK(tree("-x.a") == "(call (.neg torch) (.a x))");
  CHECK(tree("- -3") == "(call (.neg torch) -3)");
  CHECK(tree("- -2.") == "real 1p+1");
  CHECK(tree("~x") == "(call (.bitwise_not torch) x)");
  CHECK(tree("not not x") == "(call (.__not__ torch) (call (.__not__ torch) x))");
  CHECK(tree("a if c else b if d else e") == "(if c a (if d b e))");
}

TEST_CASE("an expression of TorchScript knows its line") {
  const ScriptFunction f = function_of("  pass\n  y = g(x,\n    h(x))\n");
  CHECK(f.line == 1);
  CHECK(f.body.at(1).line == 3);
  CHECK(f.body.at(1).value.line == 3);
  CHECK(f.body.at(1).value.items.at(2).line == 4);
}

// --- statements

TEST_CASE("assignments of TorchScript's code") {
  CHECK(body_of("  y = x\n") == "  2: set y = x\n");
  CHECK(body_of("  a, b = x, y\n") == "  2: take apart a b = (tuple x y)\n");
  CHECK(body_of("  a, = x\n") == "  2: take apart a = x\n");
  CHECK(body_of("  _0, _1, = torch.split(x, 1)\n") == "  2: take apart _0 _1 = (call (.split torch) x 1)\n");
  CHECK(body_of("  y : Optional[bool] = x\n  z: Dict[str, __torch__.A] = x\n") == "  2: set y = x\n  3: set z = x\n");
  CHECK(body_of("  self.num_batches_tracked = x\n") == "  2: set (.num_batches_tracked self) = x\n");
  CHECK(body_of("  x[0] = y\n") == "  2: set (item x 0) = y\n");
  CHECK(body_of("  y = (x,)\n  y = x,\n") == "  2: set y = (tuple x)\n  3: set y = (tuple x)\n");
}

TEST_CASE("blocks of TorchScript's code") {
  CHECK(body_of("  if torch.__is__(x, None):\n    pass\n  else:\n    y = x\n  return y\n") ==
        "  2: if (call (.__is__ torch) x None)\n    3: nothing\n  else\n    5: set y = x\n  6: return y\n");
  CHECK(body_of("  for _0 in range(torch.len(x)):\n    y = _0\n") ==
        "  2: count _0 (call (.len torch) x)\n    3: set y = _0\n");
  CHECK(body_of("  for a in xs:\n    print(a)\n") == "  2: each a xs\n    3: do (call print a)\n");
  CHECK(body_of("  for a in range(1, x):\n    pass\n") == "  2: each a (call range 1 x)\n    3: nothing\n");
  CHECK(body_of("  while _0:\n    _0 = g()\n") == "  2: while _0\n    3: set _0 = (call g)\n");
  CHECK(body_of("  if x:\n    if y:\n      return\n  return x, y\n") ==
        "  2: if x\n    3: if y\n      4: return None\n  5: return (tuple x y)\n");
}

TEST_CASE("other statements of TorchScript's code") {
  CHECK(body_of("  ops.prim.RaiseException(\"no\")\n") == "  2: do (call (.RaiseException (.prim ops)) \"no\")\n");
  CHECK(body_of("  assert x, \"no\"\n  assert y\n") == "  2: assert x\n  3: assert y\n");
  CHECK(body_of("  del a, b\n") == "  2: nothing\n");
}

TEST_CASE("lines of TorchScript's code: comments, blank lines, brackets, the end") {
  CHECK(body_of("\n  # one\n      # two\n  y = [x, # three\n\n 1]  # four\n\n\n  return y") ==
        "  5: set y = (list x 1)\n  10: return y\n");
  CHECK(body_of("  if x:\r\n    y = 1\r\n  return y\r\n") == "  2: if x\n    3: set y = 1\n  4: return y\n");
  CHECK(body_of("  if x:\n      if y:\n       pass\n") == "  2: if x\n    3: if y\n      4: nothing\n");
  CHECK(parse_script("").functions.empty());
  CHECK(parse_script("\n  # nothing").functions.empty());
}

// --- files

TEST_CASE("functions of TorchScript's code") {
  const ScriptFile file = parse_script(
      "def f(self,\n    x: Optional[Dict[str, Tensor]],\n    n: int=-1,\n    mode: str=\"a\") -> Tuple[int, Tensor]:\n"
      "  return n\ndef g():\n  pass\n");
  CHECK(text_of(file) ==
        "1: def f self: x:Optional[Dict[str,Tensor]] n:int=-1 mode:str=\"a\"\n  5: return n\n6: def g\n  7: nothing\n");
  CHECK(file.functions[0].parameters[2].is_optional);
  CHECK_FALSE(file.functions[0].parameters[1].is_optional);
}

TEST_CASE("classes of TorchScript's code") {
  CHECK(text_of(parse_script("class Conv(Module):\n  __parameters__ = [\"weight\", ]\n  weight : Tensor\n"
                             "  __annotations__ = []\n  __annotations__[\"0\"] = __torch__.Relu\n"
                             "  stride : Final[Tuple[int, int]] = (1, 1)\n  def forward(self):\n    pass\n"
                             "class P(NamedTuple):\n  a : Tensor\n  b : Optional[int]\nclass Color(Enum):\n  RED = 1\n"
                             "class I(Interface):\n  def run(self, x: Tensor) -> Tensor:\n    pass\nclass C:\n  pass\n"
                             "class Empty:\ndef f():\n  pass\n")) ==
        "class Conv Module\n  member weight\n  member 0\n  constant __parameters__ (list \"weight\")\n"
        "  constant __annotations__ (list)\n  constant stride (tuple 1 1)\n  7: def forward self:\n    8: nothing\n"
        "class P NamedTuple\n  member a\n  member b\nclass Color Enum\n  constant RED 1\n"
        "class I Interface\n  15: def run self: x:Tensor\n    16: nothing\nclass C\nclass Empty\n20: def f\n"
        "  21: nothing\n");
}

TEST_CASE("what PyTorch printed in older TorchScript files") {
  const std::string code = "op_version_set = 1\nimport __torch__.a.b\nclass M(Module):\n  __parameters__ = []\n"
                           "  training : bool\n  def forward(self,\n    x: Tensor) -> Tensor:\n    return x\n";
  CHECK(text_of(parse_script(code)) ==
        "class M Module\n  member training\n  constant __parameters__ (list)\n  6: def forward self: x:Tensor\n"
        "    8: return x\n");
}

TEST_CASE("TorchScript's code in PyTorch's archives, as Python itself reads it") {
  std::ifstream golden(TEFF_GOLDEN_DIR "/script_parser.golden");
  std::string name, line;
  int files = 0;
  REQUIRE(std::getline(golden, name));
  while (golden) {
    std::string code, expected;
    while (std::getline(golden, line) && line != "---") code += line + '\n';
    while (std::getline(golden, line) && !line.starts_with("=== ")) expected += line + '\n';
    CAPTURE(name);
    CHECK(text_of(parse_script(code)) == expected);
    CHECK_FALSE(expected.empty());
    name = line;
    ++files;
  }
  CHECK(files == 21);
}

// --- refusals

TEST_CASE("what is no TorchScript code is refused with its line") {
  CHECK(refusal("x = 1\n") == "line 1: expected a class or a function, got \"x\"");
  CHECK(refusal("  def f():\n    pass\n") == "line 1: expected a class or a function, got an indented line");
  CHECK(refusal("def f(x:\n  pass\n") == "line 2: expected a name, got \"pass\"");
  CHECK(refusal("def f(x)\n  pass\n") == "line 1: expected \":\", got the end of the line");
  CHECK(refusal("def f(x): pass\n") == "line 1: expected the end of the line, got \"pass\"");
  CHECK(refusal("def f(x):\n\n\nclass A:\n") == "line 4: expected an indented line, got \"class\"");
  CHECK(refusal("def f(x):\n  y = 1\n    z = 2\n") == "line 3: expected an expression, got an indented line");
  CHECK(refusal("def f(x):\n    if x:\n      pass\n   y = 1\n") ==
        "line 4: expected the indentation of a block that is open, got another");
  CHECK(refusal("def f(x):\n\ty = 1\n") == "line 2: expected indentation by blanks, got a tab");
  CHECK(refusal("class A(Module):\n  x :\n") == "line 2: expected a name, got the end of the line");
  CHECK(refusal("class A(Module):\n  x y\n") == "line 2: expected \"=\", got \"y\"");
  CHECK(refusal("class A(Module):\n  __annotations__[0] = T\n") == "line 2: expected a text, got \"0\"");
  CHECK(refusal("def f(x):\n  for a xs:\n    pass\n") == "line 2: expected \"in\", got \"xs\"");
  CHECK(refusal("def f(x):\n  y : List[int\n  pass\n") == "line 3: expected \",\", got \"pass\"");
  CHECK(refusal("\xff") == "line 1: expected code in UTF-8, got other bytes");
}

TEST_CASE("expressions that are none of TorchScript are refused with their line") {
  CHECK(refused("") == "line 2: expected an expression, got the end of the line");
  CHECK(refused("x y") == "line 2: expected the end of the line, got \"y\"");
  CHECK(refused("(x") == "line 3: expected \",\", got the end of the line");
  CHECK(refused("[x, , y]") == "line 2: expected an expression, got \",\"");
  CHECK(refused("x]") == "line 2: expected the end of the line, got \"]\"");
  CHECK(refused("{x}") == "line 2: expected \":\", got \"}\"");
  CHECK(refused("x.") == "line 2: expected a name, got the end of the line");
  CHECK(refused("x.0") == "line 2: expected the end of the line, got \".0\"");
  CHECK(refused("x[0:1:2]") == "line 2: expected \"]\", got \":\"");
  CHECK(refused("f(a=1, 2)") == "line 2: expected an argument with a name, got \")\"");
  CHECK(refused("a if b") == "line 2: expected \"else\", got the end of the line");
  CHECK(refused("annotate(3, x)") == "line 2: expected a name, got \"3\"");
  CHECK(refused("\"a\" \"b\"") == "line 2: expected the end of the line, got a text");
  CHECK(refused("x$") == "line 2: expected the end of the line, got \"$\"");
  CHECK(refused("\xc3\xa9") == "line 2: expected an expression, got \"\xc3\xa9\"");
}

TEST_CASE("numbers and texts of TorchScript that are none are refused") {
  CHECK(refused("9223372036854775808") == "line 2: expected a whole number of 64 bits, got \"9223372036854775808\"");
  CHECK(refused("-9223372036854775809") == "line 2: expected a whole number of 64 bits, got \"9223372036854775809\"");
  CHECK(refused("99999999999999999999999") ==
        "line 2: expected a whole number of 64 bits, got \"99999999999999999999999\"");
  CHECK(refused("1e999") == "line 2: expected a real number of 64 bits, got \"1e999\"");
  CHECK(refused("1e") == "line 2: expected a real number of 64 bits, got \"1e\"");
  CHECK(refused("1a") == "line 2: expected the end of a number, got a letter");
  CHECK(refused("0x10") == "line 2: expected the end of a number, got a letter");
  CHECK(refused("\"a") == "line 2: expected the end of a text in its line, got none");
  CHECK(refused("\"a\\") == "line 2: expected the end of a text in its line, got none");
  CHECK(refused("\"a\\\n\"") == "line 2: expected the end of a text in its line, got none");
  CHECK(refused("\"\\x4\"") == "line 2: expected a character of Unicode in an escape, got none");
  CHECK(refused("\"\\ud800\"") == "line 2: expected a character of Unicode in an escape, got none");
  CHECK(refused("\"\\377\"") == "line 2: expected a text in UTF-8, got a text");
  CHECK(refused("\"\\U00110000\"") == "line 2: expected a character of Unicode in an escape, got none");
}

TEST_CASE("assignments to what is no variable are refused") {
  const std::string expected = "line 2: expected a name, an attribute or an item to assign to, got another expression";
  CHECK(refusal("def f(x):\n  1 = x\n") == expected);
  CHECK(refusal("def f(x):\n  g(x) = x\n") == expected);
  CHECK(refusal("def f(x):\n  x[0:1] = x\n") == expected);
  CHECK(refusal("def f(x):\n  a, (b, c) = x\n") == expected);
  CHECK(refusal("def f(x):\n  () = x\n") == "line 2: expected something to assign to, got nothing");
}

TEST_CASE("Python that Teff does not read in TorchScript's code is unsupported") {
  const auto unread_line = [](const std::string& line) { return unread("def f(x):\n  " + line + "\n"); };
  CHECK(unread_line("y = lambda a: a") == "line 2: expected a name, got Python's \"lambda\", which Teff does not read");
  CHECK(unread_line("with x as y:") == "line 2: expected a name, got Python's \"with\", which Teff does not read");
  CHECK(unread_line("def g():") == "line 2: expected a name, got Python's \"def\", which Teff does not read");
  CHECK(unread_line("raise x") == "line 2: expected a name, got Python's \"raise\", which Teff does not read");
  CHECK(unread_line("y = x + 1") ==
        "line 2: expected the end of the line, got Python's \"+\", which Teff does not read");
  CHECK(unread_line("y = x == 1") ==
        "line 2: expected the end of the line, got Python's \"=\", which Teff does not read");
  CHECK(unread_line("x += 1") == "line 2: expected the end of the line, got Python's \"+\", which Teff does not read");
  CHECK(unread_line("y = a and b") ==
        "line 2: expected the end of the line, got Python's \"and\", which Teff does not read");
  CHECK(unread_line("y = [a for a in x]") == "line 2: expected \",\", got Python's \"for\", which Teff does not read");
  CHECK(unread_line("y = f\"{x}\"") ==
        "line 2: expected a text without prefix, got Python's \"f\", which Teff does not read");
  CHECK(unread_line("y = 2.j") == "line 2: expected a real number, got a complex one");
  CHECK(unread_line("y = infj") == "line 2: expected a real number, got Python's \"infj\", which Teff does not read");
  CHECK(unread("def f(*x):\n  pass\n") == "line 1: expected a name, got Python's \"*\", which Teff does not read");
}

// --- limits

TEST_CASE("TorchScript's blocks may be 400 deep") {
  const ScriptFile file = parse_script(nested_ifs(300));
  const ScriptStatement* innermost = &file.functions.at(0).body.at(0);
  int depth = 1;
  for (; innermost->body.at(0).kind == ScriptStatement::Kind::conditional; ++depth) innermost = &innermost->body[0];
  CHECK(depth == 300);
  CHECK(innermost->body[0].line == 302);
  parse_script(nested_ifs(399));
  CHECK(unread(nested_ifs(400)) == "line 401: expected at most 400 blocks in each other, got more");
}

TEST_CASE("TorchScript's expressions may be 100 deep") {
  const std::string expected = "line 2: expected at most 100 expressions in each other, got more";
  const auto too_deep = [](const std::string& expression) { return unread("def f(x):\n  y = " + expression + "\n"); };
  CHECK(tree(repeated("(", 99) + "x" + repeated(")", 99)) == "x");
  CHECK(too_deep(repeated("(", 100) + "x" + repeated(")", 100)) == expected);
  CHECK(tree("x" + repeated("[0]", 99)).size() == 99 * 9 + 1);
  CHECK(too_deep("x" + repeated("[0]", 100)) == expected);
  CHECK(too_deep("x" + repeated(".a", 100000)) == expected);
  CHECK(too_deep("x" + repeated("()", 100000)) == expected);
  CHECK(too_deep(repeated("(", 40) + "x" + repeated(".a.a.a)", 40)) == expected);
  CHECK(too_deep(repeated("[", 100000)) == expected);
  CHECK(too_deep(repeated("f(", 100000)) == expected);
  CHECK(too_deep(repeated("-", 100000) + "x") == expected);
  CHECK(too_deep(repeated("x if x else ", 100000) + "x") == expected);
  CHECK(unread("def f(x: " + repeated("List[", 100000)) ==
        "line 1: expected at most 100 expressions in each other, got more");
}

TEST_CASE("TorchScript's code may have as many expressions and statements as the caller says") {
  const std::string code = "def f(x):\n  return [1, x]\n";
  const std::string expected = "line 2: expected at most 262144 expressions and statements in all files, got more";
  CHECK(parse_script(code, 6).parts == 6);  // the function, its parameter, the statement, three expressions
  CHECK(error_of<UnsupportedError>([&] { parse_script(code, 5); }) == expected);
  CHECK(unread("def f(x):\n  return [" + repeated("1,", 1 << 18) + "]\n") == expected);
  CHECK(unread(std::string((64 << 20) + 1, ' ')) == "line 1: expected code of at most 67108864 bytes, got 67108865");
}
