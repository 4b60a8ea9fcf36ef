// SPDX-License-Identifier: MIT
#include "teff/serialize/torch/pickle_machine.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

#include "teff/serialize/io/place.h"
#include "teff/serialize/io/utf8.h"
#include "teff/serialize/torch/pickle_opcodes.h"

namespace teff::serialize {
namespace {

constexpr std::size_t kMaxStack = 1 << 17;
constexpr std::size_t kMaxPickleNodes = 1 << 23;
constexpr std::size_t kMaxGlobalBytes = 255;
constexpr std::size_t kMaxDigits = 5000;
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
  static constexpr std::array kNames = {"None",     "a bool",         "an integer",          "a float",   "text",
                                        "bytes",    "a long integer", "a long integer",      "a tuple",   "a list",
                                        "a set",    "a dict",         "a class or function", "an object", "a content",
                                        "a storage"};
  return kNames[static_cast<std::size_t>(kind)];
}

}  // namespace

class PickleMachine {
 public:
  PickleMachine(Pickle& pickle, std::uint64_t offset) : pickle_(pickle), offset_(offset), bytes_(pickle.bytes_) {}

  void run() {
    add({NodeKind::none});
    add({NodeKind::boolean, 0});
    add({NodeKind::boolean, 1});
    add({NodeKind::tuple, 0, kNoNode, kNoNode});
    do {
      opcode_at_ = position_;
      opcode_ = Opcode{byte()};
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

  [[noreturn]] void refuse(const std::string& what) const { throw FormatError(place() + what); }

  std::string place() const {
    const auto code = static_cast<std::uint8_t>(opcode_);
    std::string name(opcode_name(code));
    if (name.empty()) {
      std::array<char, 12> digits{};
      std::snprintf(digits.data(), digits.size(), "byte 0x%02x", code);
      name = digits.data();
    }
    return "pickle: " + name + " at offset " + std::to_string(offset_ + opcode_at_) + ": ";
  }

  // What the opcode's bytes say.

  std::span<const std::byte> take(std::uint64_t count) {
    if (position_ == bytes_.size() && position_ == opcode_at_) {
      throw PickleCutOff("pickle: it is cut off: expected its end, got that of the bytes at offset " +
                         std::to_string(offset_ + position_));
    }
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
    if (protocol < 2 || protocol > kMaxProtocol) {  // the first does not name itself
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
    if (!is_utf8(pickle_.text(stack_.back()))) pickle_.nodes_[stack_.back()].kind = NodeKind::bytes;
  }

  void push_empty(NodeKind kind) { push(add({kind, 0, kNoNode, kNoNode})); }

  void push_tuple(std::size_t begin) { push_container(NodeKind::tuple, begin); }
  void push_container(NodeKind kind, std::size_t begin) {
    const NodeId container = add({kind, 0, kNoNode, kNoNode});
    append_from(container, begin);
    push(container);
  }
  /// What a value that refers to itself leaves on the stack: the memo has it.
  void drop() {
    if (stack_.size() == floor() && !marks_.empty()) return marks_.pop_back();
    pop();
  }

  /// Moves all from there on to the end of the container.
  void append_from(NodeId container, std::size_t begin) {
    for (std::size_t i = begin; i < stack_.size(); ++i) append(container, stack_[i]);
    stack_.resize(begin);
  }
  void append(NodeId container, NodeId item) {
    // More elements than bytes: the same list, taken into dicts again and again.
    if (pickle_.cells_.size() >= position_) refuse("expected at most as many elements as bytes, got more");
    const auto cell = static_cast<std::uint32_t>(pickle_.cells_.size());
    pickle_.cells_.push_back({item, kNoNode});
    Node& node = pickle_.nodes_[container];
    if (node.a++ == 0) {
      node.b = cell;
    } else {
      pickle_.cells_[node.c].next = cell;
    }
    node.c = cell;
  }
  void append_all(NodeId container, NodeId from) {
    for (const NodeId item : pickle_.items(from)) append(container, item);
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

  /// The list or dict of an object whose class is derived from one, made if it has none yet.
  NodeId content_of(NodeId object, NodeKind& kind) {
    if (kind == NodeKind::set) kind = NodeKind::list;
    Node& content = pickle_.nodes_[content_of(object)];
    NodeId& part = kind == NodeKind::dict ? content.c : content.b;
    if (part == kNoNode) part = add({kind, 0, kNoNode, kNoNode});
    return part;
  }
  NodeId content_of(NodeId object) {
    if (pickle_[object].c == kNoNode) {
      const NodeId content = add({NodeKind::content, kNoNode, kNoNode, kNoNode});
      pickle_.nodes_[object].c = content;
    }
    return pickle_[object].c;
  }

  // Classes, functions and what is made of them.

  std::span<const std::byte> line(std::size_t most = kMaxGlobalBytes) {
    const auto rest = bytes_.subspan(position_);
    const auto limited = rest.first(std::min(rest.size(), most + 1));
    const auto end = std::find(limited.begin(), limited.end(), std::byte{'\n'});
    if (end == limited.end()) {
      if (limited.size() > most) {
        refuse("expected a name or number of at most " + std::to_string(most) + " bytes, got a longer one");
      }
      throw PickleCutOff(place() + "expected the end of a name, got the end of the bytes");
    }
    const auto size = static_cast<std::size_t>(end - limited.begin());
    return take(size + 1).first(size);
  }

  static std::string_view as_text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  std::uint32_t offset_of(std::string_view text) const {
    return static_cast<std::uint32_t>(text.data() - reinterpret_cast<const char*>(bytes_.data()));
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

  /// What its calls make, if the class is one of Python's containers.
  std::optional<NodeKind> container_class(NodeId callee) const {
    if (pickle_[callee].kind != NodeKind::global) return {};
    static constexpr std::array<std::pair<std::string_view, NodeKind>, 8> kClasses = {{
        {"collections.OrderedDict", NodeKind::dict},
        {"collections.Counter", NodeKind::dict},
        {"collections.defaultdict", NodeKind::dict},
        {"collections.deque", NodeKind::list},
        {"__builtin__.set", NodeKind::set},
        {"builtins.set", NodeKind::set},
        {"__builtin__.frozenset", NodeKind::set},
        {"builtins.frozenset", NodeKind::set},
    }};
    const std::string name = pickle_.global(callee);
    const auto found = std::find_if(kClasses.begin(), kClasses.end(), [&](const auto& c) { return c.first == name; });
    return found == kClasses.end() ? std::nullopt : std::optional(found->second);
  }

  void call(const char* what) {
    const NodeId arguments = stack_[below(2) + 1], callee = stack_[below(2)];
    const NodeKind kind = pickle_[callee].kind;
    if (kind != NodeKind::global && kind != NodeKind::persistent && kind != NodeKind::object) {
      refuse("expected a class or function with its " + std::string(what) + ", got " + kind_name(kind));
    }
    if (pickle_[arguments].kind != NodeKind::tuple) {
      refuse("expected a tuple of " + std::string(what) + ", got " + kind_name(pickle_[arguments].kind));
    }
    stack_.resize(below(2));
    const std::optional<NodeKind> container = container_class(callee);
    if (container == NodeKind::dict) return push_dict(callee, arguments);
    if (container) return push_copy(*container, arguments);
    if (!push_reconstructed(callee, arguments)) push(add({NodeKind::object, callee, arguments, kNoNode}));
  }

  /// The class, its arguments, and arguments by name, which become the last of them.
  void call_with_keywords() {
    const std::size_t begin = below(3);
    const NodeId arguments = stack_[begin + 1], keywords = stack_[begin + 2];
    if (pickle_[arguments].kind != NodeKind::tuple || pickle_[keywords].kind != NodeKind::dict) {
      refuse("expected a tuple of arguments and a dict of more, got something else");
    }
    stack_.pop_back();
    if (pickle_[keywords].a > 0) {
      const NodeId all = add({NodeKind::tuple, 0, kNoNode, kNoNode});
      append_all(all, arguments);
      append(all, keywords);
      stack_.back() = all;
    }
    call("arguments of a class");
  }

  /// The class and its arguments behind a mark.
  void call_marked() {
    const std::size_t begin = pop_mark();
    if (stack_.size() == begin) refuse("expected a class behind the mark, got nothing");
    push_tuple(begin + 1);
    call("arguments of a class");
  }

  /// copyreg._reconstructor(class, base, content), which protocol 1 has instead of NEWOBJ.
  bool push_reconstructed(NodeId callee, NodeId arguments) {
    if (pickle_[callee].kind != NodeKind::global || pickle_[arguments].a != 3) return false;
    const std::string name = pickle_.global(callee);
    if (name != "copy_reg._reconstructor" && name != "copyreg._reconstructor") return false;
    const std::vector<NodeId> fields = pickle_.items(arguments);
    const NodeKind class_kind = pickle_[fields[0]].kind;
    if (class_kind != NodeKind::global && class_kind != NodeKind::persistent) return false;
    const NodeKind kind = pickle_[fields[2]].kind;
    const bool is_container = kind == NodeKind::dict || kind == NodeKind::list;
    NodeId given = kEmptyTuple;
    if (kind == NodeKind::tuple) {
      given = fields[2];
    } else if (kind != NodeKind::none && !is_container) {
      push(fields[2]);
      push_tuple(below(1));
      given = pop();
    }
    const NodeId object = add({NodeKind::object, fields[0], given, kNoNode});
    if (is_container) {
      Node& content = pickle_.nodes_[content_of(object)];
      (kind == NodeKind::dict ? content.c : content.b) = fields[2];
    }
    push(object);
    return true;
  }

  /// A set, or a deque, of nothing or of another container.
  void push_copy(NodeKind kind, NodeId arguments) {
    const std::vector<NodeId> items = pickle_.items(arguments);
    if (!items.empty() && (!is_container(pickle_[items[0]].kind) || pickle_[items[0]].kind == NodeKind::dict)) {
      refuse("expected " + std::string(kind_name(kind)) + " of nothing or of a list, got " +
             kind_name(pickle_[items[0]].kind));
    }
    push_empty(kind);
    if (!items.empty()) append_all(stack_.back(), items[0]);
  }

  /// OrderedDict(), of pairs in Python 2's files, Counter(a dict), or defaultdict(what makes its values).
  void push_dict(NodeId callee, NodeId arguments) {
    const std::vector<NodeId> items = pickle_.items(arguments);
    if (items.empty() || pickle_.global(callee) == "collections.defaultdict") return push_empty(NodeKind::dict);
    const Node first = pickle_[items[0]];
    if (items.size() != 1 || (first.kind != NodeKind::list && first.kind != NodeKind::dict)) {
      refuse("expected a dict of nothing, of a dict, or of a list of pairs");
    }
    push_empty(NodeKind::dict);
    const NodeId dict = stack_.back();
    if (first.kind == NodeKind::dict) return append_all(dict, items[0]);
    for (const NodeId item : pickle_.items(items[0])) {
      const bool is_pair = is_container(pickle_[item].kind) && pickle_[item].a == 2;
      if (!is_pair) refuse("expected a list of pairs, got " + std::string(kind_name(pickle_[item].kind)) + " in it");
      append_all(dict, item);
    }
  }

  /// Attributes of an OrderedDict (such as _metadata) are read and dropped.
  void build() {
    const NodeId state = stack_[below(2) + 1], target = stack_[below(2)];
    const NodeKind kind = pickle_[target].kind;
    if (kind == NodeKind::object) {
      Node& content = pickle_.nodes_[content_of(target)];
      if (content.a != kNoNode) refuse("expected the state of an object once, got it again");
      content.a = state;
    } else if (!is_container(kind) || kind == NodeKind::tuple || pickle_[state].kind != NodeKind::dict) {
      refuse("expected a dict of attributes for an OrderedDict, got " + std::string(kind_name(pickle_[state].kind)) +
             " for " + kind_name(kind));
    }
    stack_.pop_back();
  }

  Pickle& pickle_;
  const std::uint64_t offset_;
  const std::span<const std::byte> bytes_;
  std::size_t position_ = 0;
  std::size_t opcode_at_ = 0;
  Opcode opcode_{};
  std::deque<NodeId> stack_;  // of chunks, like the nodes
  std::vector<std::size_t> marks_;
  std::vector<NodeId> memo_;
};

Pickle::Pickle(std::span<const std::byte> bytes, std::uint64_t offset)
    : bytes_(bytes.first(std::min<std::size_t>(bytes.size(), kNoNode))) {
  PickleMachine(*this, offset).run();
}

}  // namespace teff::serialize
