// SPDX-License-Identifier: MIT
#include "teff/engine/graph_attributes.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>

#include "teff/engine/error.h"

namespace teff::detail {
namespace {

constexpr const char *kBatch = "batch", *kSize = "size", *kTimes = "times", *kPlus = "plus", *kOver = "over";

bool is_batch(const Value& value) {
  return value.is_dict() && value.as_dict().size() == 1 && value.as_dict().contains(kBatch);
}

bool is_size(const Value& value) { return value.is_dict() && value.as_dict().contains(kSize); }

template <class Predicate>
bool any(const Value& value, Predicate predicate) {
  if (predicate(value)) return true;
  if (!value.is_list()) return false;
  for (const Value& element : value.as_list()) {
    if (any(element, predicate)) return true;
  }
  return false;
}

template <class Predicate>
bool any(const Dict& attributes, Predicate predicate) {
  for (const DictItem& item : attributes) {
    if (any(item.value, predicate)) return true;
  }
  return false;
}

/// (times * product + plus) / over, rounded down; nothing where a step is beyond 63 bits. over > 0.
std::optional<std::int64_t> linear(std::int64_t product, std::int64_t times, std::int64_t plus, std::int64_t over) {
  std::int64_t value = 0;
  if (__builtin_mul_overflow(product, times, &value) || __builtin_add_overflow(value, plus, &value)) {
    return std::nullopt;
  }
  return value / over - (value % over < 0 ? 1 : 0);
}

[[noreturn]] void too_large() {
  throw ValueError("graph: expected an attribute that follows a size to be below 2^63, got more");
}

std::int64_t field(const Dict& size, const char* name, std::int64_t absent) {
  const Value* value = size.find(name);
  return value == nullptr ? absent : value->as_int();
}

std::int64_t evaluate(const Dict& size, const ShapeOf& shape_of) {
  std::size_t known = 0;
  for (const char* name : {kSize, kTimes, kPlus, kOver}) known += size.contains(name) ? 1U : 0U;
  const List& dims = size.at(kSize).as_list();
  const std::int64_t over = field(size, kOver, 1);
  if (known != size.size() || dims.size() < 2 || dims.size() > kMaxRank + 1 || over < 1) {
    throw ValueError(
        "graph: expected {\"size\": [place, dim, ...], \"times\", \"plus\", \"over\" >= 1} as an attribute "
        "that follows a size, got another");
  }
  const Shape* shape = shape_of(dims[0].as_int());
  if (shape == nullptr) throw ValueError("graph: expected an attribute to follow the size of an earlier node");
  std::int64_t product = 1;
  for (std::size_t i = 1; i < dims.size(); ++i) {
    const std::int64_t dim = dims[i].as_int();
    if (dim < 0 || static_cast<std::size_t>(dim) >= shape->size()) {
      throw ValueError("graph: expected an attribute to follow a dimension of " + to_string(*shape) +
                       ", got dimension " + std::to_string(dim));
    }
    if (__builtin_mul_overflow(product, (*shape)[static_cast<std::size_t>(dim)], &product)) too_large();
  }
  const std::optional<std::int64_t> value = linear(product, field(size, kTimes, 1), field(size, kPlus, 0), over);
  if (!value) too_large();
  if (*value < 0) {  // nobody has seen what it then means
    throw ValueError("graph: expected an attribute that follows a size not to be negative, got " +
                     std::to_string(*value) + " for " + to_string(*shape));
  }
  return *value;
}

Value resolve(const Value& value, const ShapeOf& shape_of) {
  if (is_batch(value)) {
    const Shape* shape = shape_of(0);
    const std::int64_t batch = shape == nullptr || shape->empty() ? 1 : shape->front();
    const std::optional<std::int64_t> product = linear(batch, value.as_dict().at(kBatch).as_int(), 0, 1);
    if (!product) too_large();
    return *product;
  }
  if (is_size(value)) return evaluate(value.as_dict(), shape_of);
  if (!value.is_list()) return value;
  List list;
  for (const Value& element : value.as_list()) list.push_back(resolve(element, shape_of));
  return list;
}

void mark(const Value& value, std::vector<bool>& nodes) {
  if (value.is_list()) {
    for (const Value& element : value.as_list()) mark(element, nodes);
    return;
  }
  const bool size = is_size(value);
  if (!size && !is_batch(value)) return;
  const std::int64_t place = size ? value.as_dict().at(kSize).as_list().at(0).as_int() : 0;
  if (place >= 0 && static_cast<std::size_t>(place) < nodes.size()) nodes[static_cast<std::size_t>(place)] = true;
}

// --- finding what an integer follows

using Numbers = std::vector<std::int64_t>;  // one for each run

struct Line {
  std::int64_t times = 1, plus = 0, over = 1;
};

std::size_t distinct(Numbers numbers) {
  std::sort(numbers.begin(), numbers.end());
  return static_cast<std::size_t>(std::unique(numbers.begin(), numbers.end()) - numbers.begin());
}

/// Neither beyond what the lines below compute with nor negative, which sizes are not.
bool are_small(const Numbers& numbers) {
  constexpr std::int64_t kLimit = std::int64_t{1} << 40;
  return std::all_of(numbers.begin(), numbers.end(), [](std::int64_t n) { return n >= 0 && n < kLimit; });
}

enum class Fit { none, one, many };

/// The `plus` with which values = (times * sizes + plus) / over, rounded down. What is divided by more than 2 is
/// rounded down or up, no further: what grows in another way, as a logarithm does, has lines through few points, too.
/// Several will do where all sizes seen are multiples, others having been refused, and there is nothing to round; then
/// it is 0. Another than 0 must be needed at two sizes: at one there may be a limit of the code.
Fit find_plus(const Numbers& sizes, const Numbers& values, bool many_seen, Line& line) {
  std::int64_t low = std::numeric_limits<std::int64_t>::min(), high = std::numeric_limits<std::int64_t>::max();
  if (line.over > 2 || (line.over == 2 && !many_seen)) low = 0, high = line.over - 1;
  bool rounds = false;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const std::int64_t least = line.over * values[i] - line.times * sizes[i];
    low = std::max(low, least);
    high = std::min(high, least + line.over - 1);
    rounds = rounds || line.times * sizes[i] % line.over != 0;
  }
  if (low > high) return Fit::none;
  line.plus = std::clamp(std::int64_t{0}, low, high);
  const auto needs_plus = [&](std::size_t i) { return line.over * values[i] - line.times * sizes[i] == low; };
  std::size_t need = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto before = std::find(sizes.begin(), sizes.begin() + static_cast<std::ptrdiff_t>(i), sizes[i]);
    if (needs_plus(i) && before == sizes.begin() + static_cast<std::ptrdiff_t>(i)) ++need;
  }
  if (line.over > 1 && line.plus != 0 && need < 2) return Fit::many;
  return low == high || (line.plus == 0 && !rounds) ? Fit::one : Fit::many;
}

/// The line through all runs. What has more to choose must be seen at more sizes; of fractions like 2/3 and 3/4, which
/// are alike at small sizes, only one may fit.
std::optional<Line> line_through(const Numbers& sizes, const Numbers& values, Evidence evidence) {
  if (!are_small(sizes) || !are_small(values)) return std::nullopt;
  const std::size_t seen = distinct(sizes);
  const bool many = evidence == Evidence::likely || seen >= 4;
  const auto [least, most] = std::minmax_element(sizes.begin(), sizes.end());
  const std::int64_t run = *most - *least;
  if (run == 0) return std::nullopt;
  const std::int64_t rise =
      values[static_cast<std::size_t>(most - sizes.begin())] - values[static_cast<std::size_t>(least - sizes.begin())];
  constexpr std::int64_t kMostOver = 64, kMostOverOfSeveral = 4;  // H / 64, 3 H / 4
  std::optional<Line> found;
  for (std::int64_t over = 1; over <= (many ? found ? kMostOverOfSeveral : kMostOver : 1); ++over) {
    const std::int64_t slope = rise * over / run;
    for (std::int64_t times = slope - 1; times <= slope + 1; ++times) {
      if (times == 0 || std::gcd(times, over) != 1 || (times != 1 && over > kMostOverOfSeveral)) continue;
      Line line{times, 0, over};
      const Fit fit = find_plus(sizes, values, seen >= 5, line);
      if (fit == Fit::none || (line.plus != 0 && !many)) continue;
      if (evidence == Evidence::certain && (fit == Fit::many || found)) return std::nullopt;
      if (evidence == Evidence::likely || over == 1 || times == 1) return line;
      found = line;
    }
  }
  return found;
}

/// Looks for what an integer of the call at a place follows.
class Follower {
 public:
  Follower(const Numbers& values, std::span<const Graph* const> runs, std::size_t place, Evidence evidence)
      : values_(values), runs_(runs), place_(place), evidence_(evidence) {}

  /// The simplest: the batch; a dimension of an input, of what the call reads, of any node before; a line on those of
  /// the first two, one dimension or a product of several.
  std::optional<Value> find() const {
    if (std::optional<Value> value = batch()) return value;
    const std::vector<std::size_t> near = near_places();
    for (const std::size_t place : near) {
      if (std::optional<Value> value = equal_dim(place)) return value;
    }
    for (std::size_t place = place_; place-- > 0;) {
      if (std::optional<Value> value = equal_dim(place)) return value;
    }
    for (std::size_t count = 1; count <= kMaxRank; ++count) {
      for (const std::size_t place : near) {
        if (std::optional<Value> value = line(place, count)) return value;
      }
    }
    return std::nullopt;
  }

 private:
  std::vector<std::size_t> near_places() const {
    std::vector<std::size_t> places;
    const std::vector<GraphNode>& nodes = runs_[0]->nodes;
    for (std::size_t i = 0; i < nodes.size() && nodes[i].kind == GraphNode::Kind::placeholder; ++i) places.push_back(i);
    for (const std::int64_t input : nodes[place_].inputs) places.push_back(static_cast<std::size_t>(input));
    return places;
  }

  std::size_t rank(std::size_t place) const {
    std::size_t rank = runs_[0]->nodes[place].type.shape.size();
    for (const Graph* run : runs_) {
      if (run->nodes[place].type.shape.size() != rank) return 0;
    }
    return rank;
  }

  /// The product of the dimensions whose bits are set, in each run.
  Numbers sizes(std::size_t place, unsigned dims) const {
    Numbers result;
    for (const Graph* run : runs_) {
      const Shape& shape = run->nodes[place].type.shape;
      std::int64_t product = 1;
      for (std::size_t d = 0; d < shape.size(); ++d) {
        if ((dims >> d & 1U) != 0) product *= shape[d];
      }
      result.push_back(product);
    }
    return result;
  }

  /// Whether one of the dimensions is the same in all runs: `times` has its place.
  bool has_constant(std::size_t place, unsigned dims) const {
    for (std::size_t d = 0; dims >> d != 0; ++d) {
      if ((dims >> d & 1U) != 0 && distinct(sizes(place, 1U << d)) == 1) return true;
    }
    return false;
  }

  static Value written(std::size_t place, unsigned dims, const Line& line) {
    List list{static_cast<std::int64_t>(place)};
    for (unsigned d = 0; dims >> d != 0; ++d) {
      if ((dims >> d & 1U) != 0) list.push_back(static_cast<std::int64_t>(d));
    }
    Dict size{{kSize, std::move(list)}};
    if (line.times != 1) size.insert(kTimes, line.times);
    if (line.plus != 0) size.insert(kPlus, line.plus);
    if (line.over != 1) size.insert(kOver, line.over);
    return size;
  }

  std::optional<Value> batch() const {
    if (runs_[0]->nodes[0].kind != GraphNode::Kind::placeholder || rank(0) == 0) return std::nullopt;
    const std::optional<Line> line = line_through(sizes(0, 1), values_, evidence_);
    if (!line || line->plus != 0 || line->over != 1) return std::nullopt;
    return Dict{{kBatch, line->times}};
  }

  std::optional<Value> equal_dim(std::size_t place) const {
    for (std::size_t d = 0; d < rank(place); ++d) {
      if (sizes(place, 1U << d) == values_) return written(place, 1U << d, {});
    }
    return std::nullopt;
  }

  std::optional<Value> line(std::size_t place, std::size_t count) const {
    for (unsigned dims = 1; dims < 1U << rank(place); ++dims) {
      if (static_cast<std::size_t>(std::popcount(dims)) != count || has_constant(place, dims)) continue;
      const std::optional<Line> found = line_through(sizes(place, dims), values_, evidence_);
      if (found) return written(place, dims, *found);
    }
    return std::nullopt;
  }

  const Numbers& values_;
  std::span<const Graph* const> runs_;
  std::size_t place_;
  Evidence evidence_;
};

std::optional<Value> unify_lists(std::span<const Value* const> values, std::span<const Graph* const> runs,
                                 std::size_t place, Evidence evidence) {
  List list;
  for (std::size_t i = 0; i < values[0]->as_list().size(); ++i) {
    std::vector<const Value*> elements;
    for (const Value* value : values) {
      if (!value->is_list() || value->as_list().size() != values[0]->as_list().size()) return std::nullopt;
      elements.push_back(&value->as_list()[i]);
    }
    std::optional<Value> element = unify(elements, runs, place, evidence);
    if (!element) return std::nullopt;
    list.push_back(std::move(*element));
  }
  return list;
}

}  // namespace

bool follows_sizes(const Dict& attributes) {
  return any(attributes, [](const Value& value) { return is_batch(value) || is_size(value); });
}

bool follows_nodes(const Dict& attributes) { return any(attributes, is_size); }

void mark_followed(const Dict& attributes, std::vector<bool>& nodes) {
  for (const DictItem& item : attributes) mark(item.value, nodes);
}

Dict resolve_sizes(const Dict& attributes, const ShapeOf& shape_of) {
  Dict result;
  for (const DictItem& item : attributes) result.insert(item.key, resolve(item.value, shape_of));
  return result;
}

std::optional<Value> unify(std::span<const Value* const> values, std::span<const Graph* const> runs, std::size_t place,
                           Evidence evidence) {
  if (std::all_of(values.begin(), values.end(), [&](const Value* value) { return *value == *values[0]; })) {
    return *values[0];
  }
  if (values[0]->is_list()) return unify_lists(values, runs, place, evidence);
  Numbers numbers;
  for (const Value* value : values) {
    if (!value->is_int()) return std::nullopt;
    numbers.push_back(value->as_int());
  }
  return Follower(numbers, runs, place, evidence).find();
}

}  // namespace teff::detail
