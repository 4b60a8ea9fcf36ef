// SPDX-License-Identifier: MIT
#pragma once

// Private: Python's pickles, protocol 2, as Python writes them.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "teff/serialize/torch/pickle_opcodes.h"

namespace teff::serialize {

class PickleWriter {
 public:
  PickleWriter();

  void none() { put(Opcode::none); }
  void boolean(bool value) { put(value ? Opcode::newtrue : Opcode::newfalse); }
  void integer(std::int64_t value);
  void floating(double value);
  void text(std::string_view text);
  /// The same, once: later calls refer to the first one.
  void shared_text(const std::string& text);
  /// A class or function, written once.
  void global(const std::string& module, const std::string& name);
  void bytes(std::string_view bytes);

  void mark() { put(Opcode::mark); }
  void empty_tuple() { put(Opcode::empty_tuple); }
  /// Of all since the mark.
  void tuple();
  /// Of 1 to 3 values, without a mark.
  void short_tuple(std::size_t size);
  void tuple_of(const std::vector<std::int64_t>& values);
  void empty_list() { put_new(Opcode::empty_list); }
  void empty_dict() { put_new(Opcode::empty_dict); }
  void empty_ordered_dict();
  void persistent() { put(Opcode::binpersid); }
  /// Calls what lies below a tuple of arguments with them.
  void call() { put_new(Opcode::reduce); }
  /// An object of the class below an empty tuple.
  void object() { put(Opcode::newobj); }
  void build() { put(Opcode::build); }
  void item() { put(Opcode::setitem); }
  /// Adds all since the mark to the dict below.
  void items() { put(Opcode::setitems); }
  /// The number of what Python remembered last, and that value once more.
  std::uint32_t last() const { return memo_ - 1; }
  void again(std::uint32_t number);

  /// Adds elements to the list or dict on the stack, as many at a time as Python does.
  template <class Container, class Write>
  void elements(const Container& container, bool is_dict, Write&& write) {
    constexpr std::size_t kBatch = 1000;
    std::size_t left = container.size(), in_batch = 0;
    for (auto element = container.begin(); element != container.end(); ++element) {
      if (in_batch == 0 && left > 1) mark();
      const bool alone = in_batch == 0 && left == 1;
      write(*element);
      --left;
      if (alone) {
        put(is_dict ? Opcode::setitem : Opcode::append);
      } else if (++in_batch == kBatch || left == 0) {
        put(is_dict ? Opcode::setitems : Opcode::appends);
        in_batch = 0;
      }
    }
  }

  /// The whole pickle. Nothing may be written after it.
  const std::vector<std::byte>& finish();

 private:
  void put(Opcode opcode);
  void put_number(std::uint64_t value, std::size_t bytes);
  /// Writes what Python remembers from then on.
  void put_new(Opcode opcode);
  std::uint32_t remember();
  /// Whether the name was written before; then refers to it.
  bool recall(const std::string& name);

  std::vector<std::byte> bytes_;
  std::uint32_t memo_ = 0;  // the next id
  std::map<std::string, std::uint32_t> shared_;
};

}  // namespace teff::serialize
