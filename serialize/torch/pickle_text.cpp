// SPDX-License-Identifier: MIT
#include "teff/serialize/torch/pickle_text.h"

#include <algorithm>

#include "teff/nn/text.h"

namespace teff::serialize {
namespace {

constexpr std::size_t kMaxText = 200;
constexpr std::size_t kMaxItems = 32;  // of a container that are printed
constexpr int kMaxTextDepth = 16;
constexpr std::size_t kMaxLongBytes = 256;
constexpr std::size_t kMaxShownDigits = 620;

/// The first bytes of the text, which is UTF-8 and stays so.
std::string_view trimmed(std::string_view text) {
  if (text.size() <= kMaxText) return text;
  std::size_t size = kMaxText;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  return text.substr(0, size);
}

/// Whether it is getattr(class, name), as members of enums are.
bool member_of(const Pickle& pickle, NodeId id) {
  const NodeId callee = pickle[id].a, arguments = pickle[id].b;
  if (pickle[callee].kind != NodeKind::global || pickle[arguments].a != 2) return false;
  const std::string function = pickle.global(callee);
  if (function != "builtins.getattr" && function != "__builtin__.getattr") return false;
  const std::vector<NodeId> parts = pickle.items(arguments);
  return pickle[parts[0]].kind == NodeKind::global && pickle[parts[1]].kind == NodeKind::text;
}

/// Prints until the text is long enough: what a value refers to again and again is not printed again and again.
class Printer {
 public:
  explicit Printer(const Pickle& pickle) : pickle_(pickle) {}

  std::string text(NodeId id) {
    print(id);
    if (text_.size() > kMaxText) text_ = std::string(trimmed(text_)) + "...";
    return std::move(text_);
  }

 private:
  void print(NodeId id) {
    if (text_.size() > kMaxText) return;
    if (depth_ == kMaxTextDepth) {
      text_ += "...";
      return;
    }
    ++depth_;
    print_node(id);
    --depth_;
  }

  void print_node(NodeId id) {
    const Node& node = pickle_[id];
    switch (node.kind) {
      case NodeKind::none:
      case NodeKind::content:
        text_ += "None";
        return;
      case NodeKind::boolean:
        text_ += nn::detail::python_bool(node.a != 0);
        return;
      case NodeKind::integer:
        text_ += std::to_string(pickle_.integer(id));
        return;
      case NodeKind::floating:
        text_ += nn::detail::python_float(pickle_.floating(id));
        return;
      case NodeKind::text:
        quote(pickle_.text(id));
        return;
      case NodeKind::bytes:
        return quote_bytes(pickle_.text(id));
      case NodeKind::long_integer:
      case NodeKind::digits:
        text_ += decimal_of(pickle_, id).value_or("...");
        return;
      case NodeKind::tuple:
        return elements(id, "(", node.a == 1 ? ",)" : ")");
      case NodeKind::list:
        return elements(id, "[", "]");
      case NodeKind::set:
        return elements(id, "{", "}");
      case NodeKind::dict:
        return entries(id);
      case NodeKind::global:
        text_ += pickle_.global(id);
        return;
      case NodeKind::object:
        text_ += made_by(pickle_, id);
        if (!member_of(pickle_, id)) elements(node.b, "(", ")");
        return;
      case NodeKind::persistent:
        text_ += "<storage>";
        return;
    }
  }

  void quote(std::string_view text) {
    text_ += '\'';
    for (const char c : trimmed(text)) {
      if (c == '\'' || c == '\\') text_ += '\\';
      text_ += c;
    }
    text_ += '\'';
  }

  void quote_bytes(std::string_view bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    text_ += "b'";
    for (const char c : bytes.substr(0, kMaxText)) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte >= 0x20 && byte < 0x7f) {
        text_ += c;
      } else {
        text_.append("\\x").append(1, kDigits[byte / 16]).append(1, kDigits[byte % 16]);
      }
    }
    text_ += '\'';
  }

  void elements(NodeId id, const char* open, const char* close) {
    text_ += open;
    const char* separator = "";
    for (const NodeId item : pickle_.items(id, kMaxItems)) {
      text_ += separator;
      print(item);
      separator = ", ";
    }
    text_.append(pickle_[id].a > kMaxItems ? ", ..." : "").append(close);
  }

  void entries(NodeId id) {
    text_ += '{';
    const std::vector<NodeId> items = pickle_.items(id, 2 * kMaxItems);
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
      text_ += i == 0 ? "" : ", ";
      print(items[i]);
      text_ += ": ";
      print(items[i + 1]);
    }
    text_ += '}';
  }

  const Pickle& pickle_;
  std::string text_;
  int depth_ = 0;
};

/// Of two's complement, little-endian.
std::string decimal(std::string_view bytes) {
  std::vector<std::uint32_t> words((bytes.size() + 3) / 4, 0);
  const bool negative = (static_cast<unsigned char>(bytes.back()) & 0x80) != 0;
  std::uint64_t carry = negative ? 1 : 0;  // -x = ~x + 1
  for (std::size_t i = 0; i < 4 * words.size(); ++i) {
    const unsigned char byte = i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : negative ? 0xff : 0;
    words[i / 4] |= static_cast<std::uint32_t>(negative ? byte ^ 0xff : byte) << (8 * (i % 4));
  }
  for (std::uint32_t& word : words) {
    carry += word;
    word = static_cast<std::uint32_t>(carry);
    carry >>= 32;
  }
  std::string digits;
  while (!words.empty()) {
    std::uint64_t rest = 0;
    for (auto word = words.rbegin(); word != words.rend(); ++word) {
      rest = rest << 32 | *word;
      *word = static_cast<std::uint32_t>(rest / 1'000'000'000);
      rest %= 1'000'000'000;
    }
    while (!words.empty() && words.back() == 0) words.pop_back();
    for (int i = 0; i < 9; ++i, rest /= 10) digits += static_cast<char>('0' + rest % 10);
  }
  while (digits.size() > 1 && digits.back() == '0') digits.pop_back();
  if (negative) digits += '-';
  std::reverse(digits.begin(), digits.end());
  return digits;
}

}  // namespace

std::string repr_of(const Pickle& pickle, NodeId id) { return Printer(pickle).text(id); }

std::string str_of(const Pickle& pickle, NodeId id) {
  return pickle[id].kind == NodeKind::text ? std::string(trimmed(pickle.text(id))) : repr_of(pickle, id);
}

std::optional<std::string> decimal_of(const Pickle& pickle, NodeId id) {
  const std::string_view text = pickle.text(id);
  if (pickle[id].kind == NodeKind::long_integer) {
    if (text.size() > kMaxLongBytes) return {};
    return decimal(text);
  }
  if (text.size() > kMaxShownDigits) return {};
  return std::string(text);
}

std::string made_by(const Pickle& pickle, NodeId id) {
  const NodeId callee = pickle[id].a;
  if (!member_of(pickle, id)) {
    return class_of(pickle, pickle[callee].kind == NodeKind::object ? pickle[callee].a : callee);
  }
  const std::vector<NodeId> parts = pickle.items(pickle[id].b);
  return pickle.global(parts[0]) + '.' + std::string(trimmed(pickle.text(parts[1])));
}

std::string class_of(const Pickle& pickle, NodeId callee) {
  if (pickle[callee].kind == NodeKind::global) return pickle.global(callee);
  if (pickle[callee].kind != NodeKind::persistent) return std::string(kNoClass);
  // ('module', class, file, source): the class of a whole model in old files.
  const NodeId what = pickle[callee].a;
  const std::vector<NodeId> fields =
      pickle[what].kind == NodeKind::tuple ? pickle.items(what, 4) : std::vector<NodeId>();
  const bool is_module = fields.size() >= 2 && pickle[fields[0]].kind == NodeKind::text &&
                         pickle.text(fields[0]) == "module" && pickle[fields[1]].kind == NodeKind::global;
  return is_module ? pickle.global(fields[1]) : std::string(kNoClass);
}

}  // namespace teff::serialize
