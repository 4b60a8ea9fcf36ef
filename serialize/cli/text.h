// SPDX-License-Identifier: MIT
#pragma once

// What the subcommands print.

#include <cstdint>
#include <exception>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include <teff/engine/dict.h>
#include <teff/serialize/file.h>

namespace teff::cli {

/// The text as it may be sent to a terminal: whatever is not a printable character of UTF-8 (control characters,
/// terminal escapes, marks that turn the direction of writing) appears as \xNN for each of its bytes.
std::string printable(std::string_view text);

/// "242.2 KiB"
std::string bytes_text(std::uint64_t bytes);

/// The value in one line; texts and lists that are long are abridged.
std::string value_text(const Value& value);

/// "float32 [6, 3, 5, 5]"; a size of -1, which is free, as the text of its dimension.
std::string type_text(const TensorType& type, const std::vector<std::string>& free = {});

/// What an error says, in the words of who uses the command: without the name of the function of the library, and with
/// options instead of members. `path`: of a file that need not be named again.
std::string told(const std::exception& error, const std::string& path = {});

/// Whether it holds a network as PyTorch's code.
bool is_torch_network(const File& file);
/// Whether the file is a module that Python pickled whole.
bool is_pickled_module(const File& file);

/// Of `1x3x224x224`, given to that option. @throws ValueError for another text.
Shape shape_of(const char* option, const std::string& text);
/// Of `float32:1x3x224x224`, or float32 of that shape.
TensorType type_of(const std::string& text);

/// Rows of cells, printed in columns. The cells are made printable; long ones do not widen their column.
class Table {
 public:
  void add(std::vector<std::string> row);
  void print(std::ostream& out) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// A value of a file that holds no others: its path as in FileEntry, and the value (of tensors, a stand-in). Or, if
/// `left_out` is not 0, so many elements of a list that are not shown.
struct Leaf {
  std::string path;
  Value value;
  std::size_t tensor = 0;  // how many tensors come before it
  std::size_t left_out = 0;
};

/// All of the dictionary, in order; an empty list or dictionary is a leaf too. `abridged`: so is a list of values that
/// hold no others, and of other long lists there are the first and last elements. @throws FormatError if the paths
/// together are longer than 256 MiB.
std::vector<Leaf> leaves_of(const Dict& dict, bool abridged = false);

}  // namespace teff::cli
