// SPDX-License-Identifier: MIT
#pragma once

// Private: the opcodes of pickles, as Python's pickletools describes them.

#include <cstdint>
#include <string_view>

namespace teff::serialize {

enum class Opcode : std::uint8_t {
  mark = '(',
  stop = '.',
  binget = 'h',
  long_binget = 'j',
  binput = 'q',
  long_binput = 'r',
  append = 'a',
  appends = 'e',
  setitem = 's',
  setitems = 'u',
  build = 'b',
  reduce = 'R',
  global = 'c',
  binpersid = 'Q',
  none = 'N',
  binint = 'J',
  binint1 = 'K',
  binint2 = 'M',
  binfloat = 'G',
  binunicode = 'X',
  binstring = 'T',
  short_binstring = 'U',
  empty_list = ']',
  empty_dict = '}',
  empty_tuple = ')',
  tuple = 't',
  pop = '0',
  pop_mark = '1',
  integer = 'I',
  long_text = 'L',
  obj = 'o',
  proto = 0x80,
  newobj = 0x81,
  tuple1 = 0x85,
  tuple2 = 0x86,
  tuple3 = 0x87,
  newtrue = 0x88,
  newfalse = 0x89,
  long1 = 0x8a,
  long4 = 0x8b,
  // Protocols 3 to 5.
  binbytes = 'B',
  short_binbytes = 'C',
  short_binunicode = 0x8c,
  binunicode8 = 0x8d,
  binbytes8 = 0x8e,
  empty_set = 0x8f,
  additems = 0x90,
  frozenset = 0x91,
  newobj_ex = 0x92,
  stack_global = 0x93,
  memoize = 0x94,
  frame = 0x95,
  bytearray8 = 0x96,
};

/// Python's name of any opcode, also of those that Teff refuses; empty for a byte that is none.
std::string_view opcode_name(std::uint8_t opcode);

}  // namespace teff::serialize
