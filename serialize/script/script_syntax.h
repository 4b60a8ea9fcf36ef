// SPDX-License-Identifier: MIT
#pragma once

// Private: the code of a TorchScript archive as plain data. It is a small part of Python, which PyTorch's own printer
// wrote: https://github.com/pytorch/pytorch/blob/main/torch/csrc/jit/serialization/python_print.cpp.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace teff::serialize {

struct ScriptExpression {
  enum class Kind : std::uint8_t {
    none,       // None
    boolean,    // integer: 0 or 1
    integer,    // integer
    real,       // real; also inf, -inf and nan, which PyTorch prints without quotes
    text,       // text, without quotes and escapes
    name,       // text: a variable, or `torch`, `ops`, `__torch__`, `CONSTANTS`
    attribute,  // items: the object; text: the name behind the dot
    subscript,  // items: the object and the index
    call,       // items: what is called, then the arguments; names: those of the last arguments
    list,       // items
    tuple,      // items
    dict,       // items: keys and values in turn
    choice,     // `a if c else b`: items: c, a, b
  };
  Kind kind = Kind::none;
  std::uint32_t line = 0;
  std::int64_t integer = 0;
  double real = 0;
  std::string text;
  std::vector<ScriptExpression> items;
  std::vector<std::string> names;
};

struct ScriptStatement {
  enum class Kind : std::uint8_t {
    expression,   // value
    assignment,   // targets = value; targets are names, attributes or subscripts. Several: the value is taken apart
    conditional,  // if value: body, else: otherwise
    count,        // for targets[0] in range(value): body
    each,         // for targets[0] in value: body
    loop,         // while value: body
    finish,       // return value
    assertion,    // assert value
    nothing,      // pass, del
  };
  Kind kind = Kind::nothing;
  std::uint32_t line = 0;
  bool takes_apart = false;  // assignment: also with one target, `a, = f()`
  std::vector<ScriptExpression> targets;
  ScriptExpression value;
  std::vector<ScriptStatement> body, otherwise;
};

struct ScriptParameter {
  std::string name;
  std::string type;  // "Optional[Tensor]": as it stands there without blanks. It is kept of parameters alone
  bool is_optional = false;
  ScriptExpression value;  // if the caller gives none
};

struct ScriptFunction {
  std::string name;
  std::uint32_t line = 0;
  std::vector<ScriptParameter> parameters;  // a method's first is the module
  std::vector<ScriptStatement> body;
};

/// A class, or a NamedTuple.
struct ScriptClassCode {
  std::string name, base;                                           // base: "Module", "NamedTuple", "" and others
  std::vector<std::pair<std::string, ScriptExpression>> constants;  // `stride : Final[int] = 2`, `__parameters__ = []`
  std::vector<std::string> members;                                 // `weight : Tensor`: names, in order
  std::vector<ScriptFunction> methods;
};

/// One file of an archive's folder code/.
struct ScriptFile {
  std::vector<ScriptClassCode> classes;
  std::vector<ScriptFunction> functions;
  std::size_t parts = 0;  // expressions, statements, parameters and members
};

/// The most parts that the code of an archive may have, which take some 30 MB.
inline constexpr std::size_t kMaxScriptParts = 1 << 18;

/// Reads a file. Types are skipped; in `annotate(T, x)`, `unchecked_cast(T, x)`, `uninitialized(T)` and
/// `isinstance(x, T)` the type becomes a text, as that of a parameter: "Optional[Tensor]", "(str,int)". What Python
/// says without a call becomes one: `x[1:2]` is `torch.slice(x, 1, 2)` (None for a bound that is left out), `-x`
/// `torch.neg`, `not x` `torch.__not__`. Bounded: expressions 100 deep, blocks 400, `most` parts.
/// @throws FormatError "line 12: expected ..., got ..." for what is no such code; UnsupportedError for Python that Teff
/// does not read (operators between values, with, functions in functions, f-strings, comprehensions, complex numbers).
ScriptFile parse_script(std::string_view code, std::size_t most = kMaxScriptParts);

}  // namespace teff::serialize
