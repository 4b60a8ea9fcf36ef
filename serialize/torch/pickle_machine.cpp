// SPDX-License-Identifier: MIT
#include "teff/serialize/torch/pickle_machine.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "teff/serialize/io/place.h"
#include "teff/serialize/io/utf8.h"
#include "teff/serialize/torch/pickle_calls.h"

namespace teff::serialize {
namespace {

constexpr std::size_t kMaxDigits = 5000;
constexpr std::uint8_t kMaxProtocol = 5;

Node integer_node(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  return {NodeKind::integer, 0, static_cast<std::uint32_t>(bits), static_cast<std::uint32_t>(bits >> 32)};
}

}  // namespace

class PickleMachine : PickleCalls {
 public:
  PickleMachine(Pickle& pickle, std::uint64_t offset) : PickleCalls(pickle, offset) {}

  void run() {
    do {
      next_opcode();
      step();
    } while (opcode_ != Opcode::stop);
    pickle_.size_ = position_;
  }

 private:
  void step() {
    switch (opcode_) {
      case Opcode::proto:
        return check_protocol(byte());
      case Opcode::frame:
        return check_frame(number(8));
      case Opcode::mark:
        return push_mark();
      case Opcode::stop:
        return finish();
      case Opcode::binget:
        return push(recall(number(1)));
      case Opcode::long_binget:
        return push(recall(number(4)));
      case Opcode::binput:
        return remember(number(1));
      case Opcode::long_binput:
        return remember(number(4));
      case Opcode::memoize:
        return remember(memo_.size());
      case Opcode::none:
        return push(kNone);
      case Opcode::newtrue:
        return push(kTrue);
      case Opcode::newfalse:
        return push(kFalse);
      case Opcode::binint1:
        return push_integer(static_cast<std::int64_t>(number(1)));
      case Opcode::binint2:
        return push_integer(static_cast<std::int64_t>(number(2)));
      case Opcode::binint:
        return push_integer(static_cast<std::int32_t>(number(4)));
      case Opcode::long1:
        return push_long(number(1));
      case Opcode::long4:
        return push_long(number(4));
      case Opcode::integer:
        return push_digits(as_text(line(kMaxDigits)));
      case Opcode::long_text:
        return push_digits(without_l(as_text(line(kMaxDigits))));
      case Opcode::binfloat:
        return push_float();
      case Opcode::short_binstring:
        return push_string(number(1));
      case Opcode::binstring:
        return push_string(number(4));
      case Opcode::short_binunicode:
        return push_text(number(1));
      case Opcode::binunicode:
        return push_text(number(4));
      case Opcode::binunicode8:
        return push_text(number(8));
      case Opcode::short_binbytes:
        return push_span(NodeKind::bytes, number(1));
      case Opcode::binbytes:
        return push_span(NodeKind::bytes, number(4));
      case Opcode::binbytes8:
      case Opcode::bytearray8:
        return push_span(NodeKind::bytes, number(8));
      case Opcode::empty_list:
        return push_empty(NodeKind::list);
      case Opcode::empty_dict:
        return push_empty(NodeKind::dict);
      case Opcode::empty_set:
        return push_empty(NodeKind::set);
      case Opcode::empty_tuple:
        return push(kEmptyTuple);
      case Opcode::pop:
        return drop();
      case Opcode::pop_mark:
        return stack_.resize(pop_mark());
      case Opcode::frozenset:
        return push_container(NodeKind::set, pop_mark());
      case Opcode::tuple:
        return push_tuple(pop_mark());
      case Opcode::tuple1:
        return push_tuple(below(1));
      case Opcode::tuple2:
        return push_tuple(below(2));
      case Opcode::tuple3:
        return push_tuple(below(3));
      case Opcode::append:
        return extend(NodeKind::list, below(1));
      case Opcode::appends:
        return extend(NodeKind::list, pop_mark());
      case Opcode::additems:
        return extend(NodeKind::set, pop_mark());
      case Opcode::setitem:
        return extend(NodeKind::dict, below(2));
      case Opcode::setitems:
        return extend(NodeKind::dict, pop_mark());
      case Opcode::global:
        return push_global();
      case Opcode::stack_global:
        return push_stack_global();
      case Opcode::binpersid:
        return push_persistent();
      case Opcode::reduce:
        return call("arguments");
      case Opcode::newobj:
        return call("arguments of a class");
      case Opcode::newobj_ex:
        return call_with_keywords();
      case Opcode::obj:
        return call_marked();
      case Opcode::build:
        return build();
    }
    refuse("expected an opcode that files of PyTorch have: nothing of the pickle was run");
  }

  void check_protocol(std::uint8_t protocol) const {
    if (opcode_at_ != 0) refuse("expected it as the first opcode only");
    if (protocol < 2 || protocol > kMaxProtocol) {  // the first does not name itself
      refuse("expected protocol 2 to 5, got " + std::to_string(protocol));
    }
  }
  void check_frame(std::uint64_t size) const {
    if (size > bytes_.size() - position_) throw PickleCutOff(place() + "the frame is longer than what is left");
  }

  void finish() {
    pickle_.root_ = pop();
    if (!stack_.empty() || !marks_.empty()) refuse("expected one value on the stack, got more");
  }

  // The memo: ids count up in what pickle writes.

  void remember(std::uint64_t id) {
    if (id > opcode_at_) refuse("expected memo " + std::to_string(memo_.size()) + ", got " + std::to_string(id));
    if (id >= memo_.size()) memo_.resize(static_cast<std::size_t>(id) + 1, kNoNode);
    memo_[static_cast<std::size_t>(id)] = stack_[below(1)];
  }
  NodeId recall(std::uint64_t id) const {
    if (id >= memo_.size() || memo_[static_cast<std::size_t>(id)] == kNoNode) {
      refuse("memo " + std::to_string(id) + " was never set");
    }
    return memo_[static_cast<std::size_t>(id)];
  }

  // Values.

  void push_integer(std::int64_t value) { push(add(integer_node(value))); }
  void push_long(std::uint64_t size) {
    if (size > 8) return push_span(NodeKind::long_integer, size);
    std::uint64_t bits = number(static_cast<std::size_t>(size));
    const bool negative = size > 0 && (bits >> (8 * size - 1)) != 0;
    if (negative && size < 8) bits |= ~std::uint64_t{0} << (8 * size);
    push_integer(static_cast<std::int64_t>(bits));
  }
  /// "01" is True, "00" is False, as protocol 1 writes them.
  void push_digits(std::string_view digits) {
    if (opcode_ == Opcode::integer && (digits == "00" || digits == "01")) return push(digits == "01" ? kTrue : kFalse);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (digits.empty() || end != digits.data() + digits.size() || error == std::errc::invalid_argument) {
      refuse("expected digits, got " + escaped(digits, kMaxGlobalBytes));
    }
    if (error == std::errc()) return push_integer(value);
    push(add({NodeKind::digits, 0, offset_of(digits), static_cast<std::uint32_t>(digits.size())}));
  }
  static std::string_view without_l(std::string_view digits) {
    if (digits.ends_with('L')) digits.remove_suffix(1);
    return digits;
  }
  void push_float() {
    std::uint64_t bits = 0;
    for (const std::byte part : take(8)) bits = bits << 8 | std::to_integer<std::uint64_t>(part);
    push(add({NodeKind::floating, 0, static_cast<std::uint32_t>(bits), static_cast<std::uint32_t>(bits >> 32)}));
  }
  void push_span(NodeKind kind, std::uint64_t size) {
    const auto begin = static_cast<std::uint32_t>(position_);
    take(size);
    push(add({kind, 0, begin, static_cast<std::uint32_t>(size)}));
  }
  void push_text(std::uint64_t size) {
    push_span(NodeKind::text, size);
    if (!is_utf8(pickle_.text(stack_.back()))) refuse("expected text in UTF-8, got other bytes");
  }
  /// Python 2's str, which is text or not.
  void push_string(std::uint64_t size) {
    push_span(NodeKind::text, size);
    if (!is_utf8(pickle_.text(stack_.back()))) node(stack_.back()).kind = NodeKind::bytes;
  }

  /// What a value that refers to itself leaves on the stack: the memo has it.
  void drop() {
    if (stack_.size() == floor() && !marks_.empty()) return marks_.pop_back();
    pop();
  }

  void extend(NodeKind kind, std::size_t begin) {
    if (begin == floor()) refuse("expected " + std::string(kind_name(kind)) + " below its elements, got nothing");
    NodeId target = stack_[begin - 1];
    if (pickle_[target].kind == NodeKind::object) target = content_of(target, kind);
    if (const NodeKind actual = pickle_[target].kind; actual != kind) {
      refuse("expected " + std::string(kind_name(kind)) + " to add to, got " + kind_name(actual));
    }
    if (kind == NodeKind::dict && (stack_.size() - begin) % 2 != 0)
      refuse("expected keys with values, got a key alone");
    append_from(target, begin);
  }

  void push_global() {
    const std::string_view module = as_text(line()), name = as_text(line());
    add_global(offset_of(module), module.size(), offset_of(name), name.size());
  }
  void push_stack_global() {
    const std::size_t begin = below(2);
    const Node module = pickle_[stack_[begin]], name = pickle_[stack_[begin + 1]];
    if (module.kind != NodeKind::text || name.kind != NodeKind::text || module.c > kMaxGlobalBytes ||
        name.c > kMaxGlobalBytes) {
      refuse("expected two names of at most 255 bytes, got something else");
    }
    stack_.resize(begin);
    add_global(module.b, module.c, name.b, name.c);
  }
  void add_global(std::uint32_t module, std::size_t module_bytes, std::uint32_t name, std::size_t name_bytes) {
    push(add({NodeKind::global, static_cast<std::uint32_t>(module_bytes << 16 | name_bytes), module, name}));
  }

  void push_persistent() {
    const NodeId id = pop();
    push(add({NodeKind::persistent, id}));
  }

  std::vector<NodeId> memo_;
};

Pickle::Pickle(std::span<const std::byte> bytes, std::uint64_t offset)
    : bytes_(bytes.first(std::min<std::size_t>(bytes.size(), kNoNode))) {
  PickleMachine(*this, offset).run();
}

}  // namespace teff::serialize
