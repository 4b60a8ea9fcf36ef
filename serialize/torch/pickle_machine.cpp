// SPDX-License-Identifier: MIT
#include "teff/serialize/torch/pickle_machine.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include "teff/serialize/io/place.h"
#include "teff/serialize/io/utf8.h"
#include "teff/serialize/torch/pickle_opcodes.h"

namespace teff::serialize {
namespace {

constexpr std::size_t kMaxStack = 1 << 17;
constexpr std::size_t kMaxPickleNodes = 1 << 23;
constexpr std::size_t kMaxGlobalBytes = 255;
constexpr std::uint8_t kMaxProtocol = 5;

// Nodes that every pickle begins with: values that need no place of their own.
constexpr NodeId kNone = 0, kFalse = 1, kTrue = 2, kEmptyTuple = 3;

Node integer_node(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  return {NodeKind::integer, 0, static_cast<std::uint32_t>(bits), static_cast<std::uint32_t>(bits >> 32)};
}

bool is_container(NodeKind kind) {
  return kind == NodeKind::tuple || kind == NodeKind::list || kind == NodeKind::set || kind == NodeKind::dict;
}

const char* kind_name(NodeKind kind) {
  static constexpr std::array kNames = {
      "None",  "a bool", "an integer",          "a float",   "text",     "bytes", "a long integer", "a tuple", "a list",
      "a set", "a dict", "a class or function", "an object", "a storage"};
  return kNames[static_cast<std::size_t>(kind)];
}

}  // namespace

class PickleMachine {
 public:
  PickleMachine(Pickle& pickle, const PickleOptions& options)
      : pickle_(pickle), options_(options), bytes_(pickle.bytes_) {}

  void run() {
    add({NodeKind::none});
    add({NodeKind::boolean, 0});
    add({NodeKind::boolean, 1});
    add({NodeKind::tuple, 0, kNoNode, kNoNode});
    do {
      opcode_at_ = position_;
      opcode_ = Opcode{byte()};
      if (opcode_at_ == 0 && opcode_ != Opcode::proto) refuse("expected PROTO as the first opcode");
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
      case Opcode::empty_list:
        return push_empty(NodeKind::list);
      case Opcode::empty_dict:
        return push_empty(NodeKind::dict);
      case Opcode::empty_set:
        return push_empty(NodeKind::set);
      case Opcode::empty_tuple:
        return push(kEmptyTuple);
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
      case Opcode::build:
        return build();
    }
    refuse("expected an opcode that dictionaries of tensors need: nothing of the pickle was run");
  }

  [[noreturn]] void refuse(const std::string& what) const { throw FormatError(place() + what); }

  std::string place() const {
    const auto code = static_cast<std::uint8_t>(opcode_);
    std::string name(opcode_name(code));
    if (name.empty()) {
      std::array<char, 12> digits{};
      std::snprintf(digits.data(), digits.size(), "byte 0x%02x", code);
      name = digits.data();
    }
    return "pickle: " + name + " at offset " + std::to_string(options_.offset + opcode_at_) + ": ";
  }

  // What the opcode's bytes say.

  std::span<const std::byte> take(std::uint64_t count) {
    if (count > bytes_.size() - position_) {
      throw PickleCutOff(place() + "expected " + std::to_string(count) + " bytes, got the end after " +
                         std::to_string(bytes_.size() - position_));
    }
    const auto taken = bytes_.subspan(position_, static_cast<std::size_t>(count));
    position_ += taken.size();
    return taken;
  }
  std::uint8_t byte() { return std::to_integer<std::uint8_t>(take(1)[0]); }
  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    std::memcpy(&value, take(size).data(), size);
    return value;
  }

  void check_protocol(std::uint8_t protocol) const {
    if (opcode_at_ != 0) refuse("expected it as the first opcode only");
    if (protocol < 2 || protocol > kMaxProtocol) {
      refuse("expected protocol 2 to 5, got " + std::to_string(protocol));
    }
  }
  void check_frame(std::uint64_t size) const {
    if (size > bytes_.size() - position_) throw PickleCutOff(place() + "the frame is longer than what is left");
  }

  // The stack.

  NodeId add(const Node& node) {
    if (pickle_.nodes_.size() == kMaxPickleNodes) refuse("expected at most 2^23 values, got more");
    pickle_.nodes_.push_back(node);
    return static_cast<NodeId>(pickle_.nodes_.size() - 1);
  }
  void push(NodeId node) {
    if (stack_.size() == kMaxStack) refuse("expected at most 2^17 values on the stack, got more");
    stack_.push_back(node);
  }
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  /// The place of the `count`-th value from above.
  std::size_t below(std::size_t count) const {
    if (stack_.size() - floor() < count) {
      refuse("expected " + std::to_string(count) + (count == 1 ? " value" : " values") + " on the stack, got fewer");
    }
    return stack_.size() - count;
  }
  NodeId pop() {
    const NodeId node = stack_[below(1)];
    stack_.pop_back();
    return node;
  }
  void push_mark() {
    if (marks_.size() == kMaxStack) refuse("expected at most 2^17 marks, got more");
    marks_.push_back(stack_.size());
  }
  std::size_t pop_mark() {
    if (marks_.empty()) refuse("expected a mark on the stack, got none");
    const std::size_t mark = marks_.back();
    marks_.pop_back();
    return mark;
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
    if (!is_utf8(pickle_.text(stack_.back()))) pickle_.nodes_[stack_.back()].kind = NodeKind::bytes;
  }

  void push_empty(NodeKind kind) { push(add({kind, 0, kNoNode, kNoNode})); }

  void push_tuple(std::size_t begin) {
    const NodeId tuple = add({NodeKind::tuple, 0, kNoNode, kNoNode});
    append_from(tuple, begin);
    push(tuple);
  }

  /// Moves all from there on to the end of the container.
  void append_from(NodeId container, std::size_t begin) {
    Node& node = pickle_.nodes_[container];
    for (std::size_t i = begin; i < stack_.size(); ++i) {
      // More elements than bytes: the same list, taken into dicts again and again.
      if (pickle_.cells_.size() >= position_) refuse("expected at most as many elements as bytes, got more");
      const auto cell = static_cast<std::uint32_t>(pickle_.cells_.size());
      pickle_.cells_.push_back({stack_[i], kNoNode});
      if (node.a++ == 0) {
        node.b = cell;
      } else {
        pickle_.cells_[node.c].next = cell;
      }
      node.c = cell;
    }
    stack_.resize(begin);
  }

  void extend(NodeKind kind, std::size_t begin) {
    if (begin == floor()) refuse("expected " + std::string(kind_name(kind)) + " below its elements, got nothing");
    const NodeId target = stack_[begin - 1];
    if (const NodeKind actual = pickle_[target].kind; actual != kind) {
      refuse("expected " + std::string(kind_name(kind)) + " to add to, got " + kind_name(actual));
    }
    if (kind == NodeKind::dict && (stack_.size() - begin) % 2 != 0)
      refuse("expected keys with values, got a key alone");
    append_from(target, begin);
  }

  // Classes, functions and what is made of them.

  std::span<const std::byte> line() {
    const auto rest = bytes_.subspan(position_);
    const auto limited = rest.first(std::min(rest.size(), kMaxGlobalBytes + 1));
    const auto end = std::find(limited.begin(), limited.end(), std::byte{'\n'});
    if (end == limited.end()) {
      if (limited.size() > kMaxGlobalBytes) refuse("expected a name of at most 255 bytes, got a longer one");
      throw PickleCutOff(place() + "expected the end of a name, got the end of the bytes");
    }
    const auto size = static_cast<std::size_t>(end - limited.begin());
    return take(size + 1).first(size);
  }

  void push_global() {
    const auto module = line(), name = line();
    add_global(module.data() - bytes_.data(), module.size(), name.data() - bytes_.data(), name.size());
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
  void add_global(std::ptrdiff_t module, std::size_t module_bytes, std::ptrdiff_t name, std::size_t name_bytes) {
    const NodeId id = add({NodeKind::global, static_cast<std::uint32_t>(module_bytes << 16 | name_bytes),
                           static_cast<std::uint32_t>(module), static_cast<std::uint32_t>(name)});
    const auto text = [&](std::ptrdiff_t begin, std::size_t size) {
      return std::string_view(reinterpret_cast<const char*>(bytes_.data()) + begin, size);
    };
    if (!options_.inert_objects && !options_.knows(text(module, module_bytes), text(name, name_bytes))) {
      refuse("expected tensors, numbers, text and containers, got " + escaped(pickle_.global(id), kMaxGlobalBytes) +
             ", of which nothing was run. If the file holds a whole pickled model, save model.state_dict() instead; "
             "LoadOptions{.inert_objects = true} reads the attributes of objects without their classes");
    }
    push(id);
  }

  void push_persistent() {
    const NodeId id = pop();
    push(add({NodeKind::persistent, id}));
  }

  bool is_dict_class(NodeId callee) const {
    if (pickle_[callee].kind != NodeKind::global) return false;
    const std::string name = pickle_.global(callee);
    return name == "collections.OrderedDict" || name == "collections.Counter";
  }

  void call(const char* what) {
    const NodeId arguments = stack_[below(2) + 1], callee = stack_[below(2)];
    const NodeKind kind = pickle_[callee].kind;
    if (kind != NodeKind::global && !(kind == NodeKind::persistent && options_.inert_objects)) {
      refuse("expected a class or function with its " + std::string(what) + ", got " + kind_name(kind));
    }
    if (pickle_[arguments].kind != NodeKind::tuple) {
      refuse("expected a tuple of " + std::string(what) + ", got " + kind_name(pickle_[arguments].kind));
    }
    stack_.resize(below(2));
    if (is_dict_class(callee)) return push_dict(arguments);
    push(add({NodeKind::object, callee, arguments, kNoNode}));
  }

  /// OrderedDict(), of pairs in Python 2's files, or Counter(a dict).
  void push_dict(NodeId arguments) {
    const std::vector<NodeId> items = pickle_.items(arguments);
    if (items.empty()) return push_empty(NodeKind::dict);
    const Node first = pickle_[items[0]];
    if (items.size() != 1 || (first.kind != NodeKind::list && first.kind != NodeKind::dict)) {
      refuse("expected a dict of nothing, of a dict, or of a list of pairs");
    }
    push_empty(NodeKind::dict);
    const std::size_t begin = stack_.size();
    for (const NodeId item : pickle_.items(items[0])) {
      if (first.kind == NodeKind::dict) {
        push(item);
        continue;
      }
      const bool is_pair = is_container(pickle_[item].kind) && pickle_[item].a == 2;
      if (!is_pair) refuse("expected a list of pairs, got " + std::string(kind_name(pickle_[item].kind)) + " in it");
      for (const NodeId part : pickle_.items(item)) push(part);
    }
    append_from(stack_[begin - 1], begin);
  }

  /// Attributes of an OrderedDict (such as _metadata) are read and dropped.
  void build() {
    const NodeId state = stack_[below(2) + 1];
    Node& target = pickle_.nodes_[stack_[below(2)]];
    if (target.kind == NodeKind::object && options_.inert_objects && target.c == kNoNode) {
      target.c = state;
    } else if (target.kind != NodeKind::dict || pickle_[state].kind != NodeKind::dict) {
      refuse("expected a dict of attributes for an OrderedDict, got " + std::string(kind_name(pickle_[state].kind)) +
             " for " + kind_name(target.kind));
    }
    stack_.pop_back();
  }

  Pickle& pickle_;
  const PickleOptions& options_;
  const std::span<const std::byte> bytes_;
  std::size_t position_ = 0;
  std::size_t opcode_at_ = 0;
  Opcode opcode_{};
  std::deque<NodeId> stack_;  // of chunks, like the nodes
  std::vector<std::size_t> marks_;
  std::vector<NodeId> memo_;
};

Pickle::Pickle(std::span<const std::byte> bytes, const PickleOptions& options)
    : bytes_(bytes.first(std::min<std::size_t>(bytes.size(), kNoNode))) {
  PickleMachine(*this, options).run();
}

}  // namespace teff::serialize
