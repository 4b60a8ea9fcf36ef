// SPDX-License-Identifier: MIT
#include <algorithm>
#include <new>

#include "teff/engine/autograd.h"
#include "teff/engine/error.h"
#include "teff/engine/graph.h"
#include "teff/engine/input_rules.h"
#include "teff/engine/mode_state.h"
#include "teff/engine/recording.h"

namespace teff {
namespace {

using detail::Evidence;
using detail::Recording;

using Places = std::vector<InputDim>;

/// A size that is free, with the others at which the function was seen to work.
struct Free {
  Places places;
  std::vector<std::int64_t> sizes;
  std::size_t first_run;
  std::int64_t least = 1;
};

/// Runs the function at many sizes, to learn which are free.
class Explorer {
 public:
  Explorer(const GraphFunction& function, std::span<const Tensor> inputs, const NamedTensors& attributes,
           const detail::ScopeNames& scopes, const detail::ExploreOptions& options)
      : function_(function),
        inputs_(inputs.begin(), inputs.end()),
        attributes_(attributes),
        scopes_(scopes),
        options_(options) {}

  detail::Explored explore() {
    add_run(inputs_);
    if (has_batch()) free_batch();
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      for (std::int64_t d = 0; d < inputs_[i].dim(); ++d) try_to_free({static_cast<std::int64_t>(i), d});
    }
    std::optional<Graph> graph;
    while (!graph && !free_.empty()) {
      graph = with_all_free();
      if (!graph) keep_fixed_last();
    }
    if (!graph) graph = with_batch_free();
    check_values(*graph);
    return {std::move(*graph), small_inputs()};
  }

 private:
  using Inputs = std::vector<Tensor>;

  bool has_batch() const { return !inputs_.empty() && inputs_[0].dim() > 0 && may_vary({0, 0}); }

  bool may_vary(const InputDim& place) const { return !options_.may_vary || options_.may_vary(place); }

  const Recording& add_run(const Inputs& inputs) {
    runs_.push_back(detail::record(function_, inputs, attributes_, scopes_));
    run_inputs_.push_back(inputs);
    nodes_ += runs_.back().graph.nodes.size();
    return runs_.back();
  }

  void drop_runs(std::size_t count) {
    runs_.resize(count);
    run_inputs_.resize(count);
  }

  std::optional<Graph> unify(Evidence evidence, std::string& difference) const {
    std::vector<const Graph*> graphs;
    for (const Recording& run : runs_) graphs.push_back(&run.graph);
    std::optional<Graph> graph = detail::unify(graphs, evidence, difference);
    if (graph) list_free_sizes(*graph);
    return graph;
  }

  /// A batch that is free alone needs no list, if no attribute does: files had none at first.
  void list_free_sizes(Graph& graph) const {
    std::vector<FreeSize> all;
    if (!batch_.empty()) all.push_back({batch_});
    for (const Free& free : free_) all.push_back({free.places, free.least});
    const bool by_node = std::any_of(graph.nodes.begin(), graph.nodes.end(),
                                     [](const GraphNode& node) { return detail::follows_nodes(node.attributes); });
    if (by_node || all != free_sizes_of(graph)) graph.free_sizes = std::move(all);
  }

  // --- the batch: it must be free

  void free_batch() {
    const std::int64_t batch = inputs_[0].size(0);
    if (batch == 0) throw ShapeError("capture: expected at least one row in the example input, got none");
    batch_ = batch_group(batch);
    if (batch > 1) {  // else the other sizes come first, for what is made smaller costs less
      run_at_batch(2 * batch + 1);
      expect_one_graph();
      if (const std::string text = refusal(detail::resized(inputs_, batch_, 1)); !text.empty()) takes_not(1, text);
      run_at_batch(1);
    }
    expect_one_graph();
  }

  void expect_one_graph() const {
    std::string difference;
    if (!unify(Evidence::likely, difference)) differs(difference);
  }

  /// Why the graph of the runs so far does not take the inputs, or "". Known before the function sees them: code that
  /// takes the second of two pieces need not ask whether there are two.
  std::string refusal(const Inputs& inputs) const {
    std::string difference;
    try {
      static_cast<void>(
          GraphExecutor(*unify(Evidence::likely, difference), attributes_).output_types(types_of(inputs)));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  /// The dimensions that grow with the batch, found by one row more. Of one row, which broadcasts, the first input's
  /// dimension alone proves nothing.
  Places batch_group(std::int64_t batch) {
    std::vector<Places> groups;
    const Places same = dims_of(batch, [](const InputDim& place) { return place.dim == 0; });
    const Places equal = dims_of(batch, [](const InputDim&) { return true; });
    const Places alone{{0, 0}};
    for (const Places& group : batch > 1 ? std::vector{alone, same} : std::vector{same, alone}) {
      add_group(groups, group);
    }
    for (const InputDim& other : equal) {
      if (other.input != 0) add_group(groups, {{0, 0}, other});
    }
    add_group(groups, equal);
    for (const Places& group : groups) {
      if (try_run(detail::resized(inputs_, group, batch + 1))) return group;
    }
    batch_ = same;
    run_at_batch(batch + 1);  // throws again
    return same;
  }

  [[noreturn]] void takes_not(std::int64_t size, const std::string& why) const {
    throw Error("capture: expected forward to take any batch size, but it takes " + std::to_string(inputs_[0].size(0)) +
                " and not " + std::to_string(size) + ": " + why + "; write sizes as x.size(0), or -1 in view");
  }

  void run_at_batch(std::int64_t size) {
    try {
      add_run(detail::resized(inputs_, batch_, size));
    } catch (const std::bad_alloc&) {  // says nothing of the batch size
      throw;
    } catch (const ResourceError&) {
      throw;
    } catch (const std::exception& error) {
      takes_not(size, error.what());
    }
  }

  [[noreturn]] static void differs(const std::string& difference) {
    throw Error("capture: expected forward to do the same at every batch size, but " + difference);
  }

  // --- all other sizes: they are free if forward takes others and does the same with them

  template <class Predicate>
  Places dims_of(std::int64_t size, Predicate predicate) const {
    Places places;
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      for (std::int64_t d = 0; d < inputs_[i].dim(); ++d) {
        const InputDim place{static_cast<std::int64_t>(i), d};
        if (inputs_[i].size(d) == size && !is_free(place) && may_vary(place) && predicate(place)) {
          places.push_back(place);
        }
      }
    }
    return places;
  }

  static void add_group(std::vector<Places>& groups, const Places& group) {
    if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
  }

  bool is_free(const InputDim& place) const {
    const auto has = [&](const Places& places) {
      return std::find(places.begin(), places.end(), place) != places.end();
    };
    return has(batch_) || std::any_of(free_.begin(), free_.end(), [&](const Free& free) { return has(free.places); });
  }

  /// Alone, or with what has the same size: in other inputs, or anywhere.
  void try_to_free(const InputDim& place) {
    const std::int64_t size = inputs_[static_cast<std::size_t>(place.input)].size(place.dim);
    if (is_free(place) || size == 0 || !may_vary(place) || nodes_ > options_.max_nodes) return;
    std::vector<Places> groups{{place}};
    add_group(groups, dims_of(size, [&](const InputDim& other) { return other.dim == place.dim; }));
    const Places equal = dims_of(size, [](const InputDim&) { return true; });
    for (const InputDim& other : equal) {
      if (other == place) continue;
      add_group(groups, other.input < place.input || (other.input == place.input && other.dim < place.dim)
                            ? Places{other, place}
                            : Places{place, other});
    }
    add_group(groups, equal);
    for (const Places& group : groups) {
      if (can_free(group, size)) return;
    }
  }

  bool can_free(const Places& places, std::int64_t size) {
    const std::size_t before = runs_.size();
    std::vector<Inputs> refused;
    bool rows_stay = true;
    free_.push_back({places, {}, before});
    const auto works_at = [&](std::int64_t other) {
      if (other == size || other < 1) return false;
      std::vector<std::int64_t>& sizes = free_.back().sizes;
      if (std::find(sizes.begin(), sizes.end(), other) != sizes.end()) return true;
      Inputs inputs = detail::resized(small_inputs(), places, other);
      if (try_run(inputs)) {
        rows_stay = rows_stay && keeps_rows(runs_.back());
        sizes.push_back(other);
        return true;
      }
      refused.push_back(std::move(inputs));
      return false;
    };
    const std::int64_t elements = elements_of(small_inputs());
    const auto is_cheap = [&](std::int64_t other) { return elements / size * other <= kCheapElements; };
    const bool works = try_sizes(size, is_cheap, works_at) && free_.back().sizes.size() >= kOtherSizes;
    if (works && rows_stay && is_proved(refused)) {
      free_.back().least = least_of(places, size);
      return true;
    }
    keep_fixed_last();
    return false;
  }

  /// The smallest size down to which the function does the same where the graph takes it.
  std::int64_t least_of(const Places& places, std::int64_t size) {
    const std::vector<std::int64_t>& sizes = free_.back().sizes;
    std::int64_t least = std::min(size, *std::min_element(sizes.begin(), sizes.end()));
    std::vector<std::int64_t> smaller;
    for (std::int64_t next = size / 4; next > 3; next /= 2) smaller.push_back(next);
    smaller.insert(smaller.end(), {3, 2, 1});
    for (const std::int64_t next : smaller) {
      if (next >= least) continue;
      const std::size_t before = runs_.size();
      const Inputs inputs = detail::resized(small_inputs(), places, next);
      if (refusal(inputs).empty() && (!try_run(inputs) || !is_proved({}) || !keeps_rows(runs_.back()))) {
        drop_runs(before);
        return least;
      }
      least = next;
    }
    return least;
  }

  void keep_fixed_last() {
    drop_runs(free_.back().first_run);
    free_.pop_back();
  }

  /// Half and double first: most sizes that are not free take neither. Then near ones, for what is rounded, and far
  /// ones, where they cost little, for code that asks for a limit.
  template <class IsCheap, class WorksAt>
  static bool try_sizes(std::int64_t size, IsCheap&& is_cheap, WorksAt&& works_at) {
    const bool half = works_at(size / 2), twice = works_at(2 * size);
    if (!half && !twice) return false;
    const std::int64_t base = half ? size / 2 : size;
    std::size_t near = 0;
    for (std::int64_t more = 1; more <= 3; ++more) near += works_at(base + more) ? 1U : 0U;
    for (const std::int64_t far : {4 * size, 8 * size}) {
      if (is_cheap(far)) works_at(far);
    }
    if (near < 3) {  // as where a network halves the size some times, and needs even ones
      works_at(size + size / 2);
      works_at(3 * size);
    }
    return true;
  }

  /// The inputs at batch 1 and the smallest of the other sizes that are known to be free, but not 1, which broadcasts.
  Inputs small_inputs() const {
    Inputs inputs = inputs_;
    if (!batch_.empty()) inputs = detail::resized(std::move(inputs), batch_, 1);
    for (const Free& free : free_) {
      std::int64_t least = size_of(free.places);
      for (const std::int64_t size : free.sizes) least = size > 1 ? std::min(least, size) : least;
      if (least < size_of(free.places)) inputs = detail::resized(std::move(inputs), free.places, least);
    }
    return inputs;
  }

  std::int64_t size_of(const Places& places) const {
    return inputs_[static_cast<std::size_t>(places[0].input)].size(places[0].dim);
  }

  /// Whether the function takes the inputs. What it throws at sizes that it was not made for is its own affair.
  bool try_run(const Inputs& inputs) {
    try {
      add_run(inputs);
      return true;
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const ResourceError&) {
      throw;
    } catch (...) {
      return false;
    }
  }

  /// Whether every output that has a row for each row of the batch still has: x.view({-1, 784}) makes two images of one
  /// that is twice as large.
  bool keeps_rows(const Recording& run) const {
    if (batch_.empty() || run.outputs.size() != runs_[0].outputs.size()) return true;
    const Recording &base = runs_[0], &more = runs_[1];  // of one row more
    const std::int64_t batch = size_of(batch_);
    for (std::size_t i = 0; i < run.outputs.size(); ++i) {
      if (run.outputs[i].dim() == 0 || base.outputs[i].dim() == 0 || more.outputs[i].dim() == 0) continue;
      const std::int64_t rows = base.outputs[i].size(0), added = more.outputs[i].size(0) - rows;
      if (added != 0 && run.outputs[i].size(0) != rows - (batch - 1) * added) return false;
    }
    return true;
  }

  /// Whether all runs make one graph, which takes none of the inputs that the function refused.
  bool is_proved(const std::vector<Inputs>& refused) const {
    std::string difference;
    const std::optional<Graph> graph = unify(Evidence::likely, difference);
    if (!graph) return false;
    const GraphExecutor executor(*graph, attributes_);
    return std::none_of(refused.begin(), refused.end(), [&](const Inputs& inputs) {
      try {
        if (options_.types_only) {
          executor.output_types(types_of(inputs));
        } else {
          executor.run(inputs);
        }
        return true;
      } catch (const std::bad_alloc&) {
        throw;
      } catch (const ResourceError&) {
        throw;
      } catch (const std::exception&) {
        return false;
      }
    });
  }

  // --- the graph

  /// Some more runs in which all sizes are others.
  std::optional<Graph> with_all_free() {
    const std::size_t before = runs_.size();
    bool works = true;
    for (std::size_t turn = 0; turn < 2 && works; ++turn) {
      Inputs inputs = inputs_;
      for (std::size_t i = 0; i < free_.size(); ++i) {
        const std::vector<std::int64_t> sizes = cheap_sizes(free_[i]);
        inputs = detail::resized(std::move(inputs), free_[i].places, sizes[(turn + i) % sizes.size()]);
      }
      if (!batch_.empty()) inputs = detail::resized(inputs, batch_, turn == 0 ? few_rows() : many_rows(inputs));
      works = try_run(inputs);
    }
    std::string difference;
    std::optional<Graph> graph;
    if (works) graph = unify(Evidence::certain, difference);
    if (!graph) drop_runs(before);
    return graph;
  }

  /// Those below the captured size, but 1, if there are any.
  std::vector<std::int64_t> cheap_sizes(const Free& free) const {
    std::vector<std::int64_t> sizes;
    for (const std::int64_t size : free.sizes) {
      if (size > 1 && size < size_of(free.places)) sizes.push_back(size);
    }
    return sizes.empty() ? free.sizes : sizes;
  }

  /// Another batch size.
  std::int64_t few_rows() const { return size_of(batch_) == 3 ? 2 : 3; }

  /// More rows than before where they cost little, for code that asks for a limit, or else some that are others again.
  std::int64_t many_rows(const Inputs& inputs) const {
    const std::int64_t one = std::max(elements_of(inputs) / inputs[0].size(batch_[0].dim), std::int64_t{1});
    for (const std::int64_t rows : {130, 66, 34, 18}) {
      if (rows > 2 * size_of(batch_) + 1 && rows * one <= kCheapElements) return rows;
    }
    return size_of(batch_) == 1 ? 4 : few_rows();
  }

  /// Nothing but the batch free.
  Graph with_batch_free() {
    if (has_batch() && size_of(batch_) == 1) run_at_batch(few_rows());
    if (has_batch()) run_at_batch(many_rows(inputs_));
    std::string difference;
    std::optional<Graph> graph = unify(Evidence::certain, difference);
    if (!graph) differs(difference);
    return std::move(*graph);
  }

  static std::vector<TensorType> types_of(const Inputs& tensors) {
    std::vector<TensorType> types;
    for (const Tensor& tensor : tensors) types.push_back(tensor.type());
    return types;
  }

  static std::int64_t elements_of(const Inputs& inputs) {
    std::int64_t elements = 0;
    for (const Tensor& input : inputs) elements += input.numel();
    return elements;
  }

  /// The record gives the values of forward, for the last inputs, where all sizes are others than those of the example;
  /// or, where that takes longer, for one row more. All other runs were seen to do the same calls.
  void check_values(const Graph& graph) const {
    const GraphExecutor executor(graph, attributes_);
    const bool is_cheap = elements_of(run_inputs_.back()) <= elements_of(inputs_);
    const std::size_t i = is_cheap || runs_.size() == 1 ? runs_.size() - 1 : 1;
    if (options_.types_only) return check_types(executor, i);
    const std::vector<Tensor> outputs = executor.run(run_inputs_[i]);
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      if (Value(outputs[o]) == Value(runs_[i].outputs[o])) continue;
      throw Error(
          "capture: expected the record to give what forward gave for " + detail::inputs_text(runs_[i].graph) +
          ", got other values: it depends on values that it reads, on random numbers, or on state that it keeps");
    }
  }

  void check_types(const GraphExecutor& executor, std::size_t run) const {
    if (executor.output_types(types_of(run_inputs_[run])) == types_of(runs_[run].outputs)) return;
    throw Error("capture: expected the record to give results of the types that were seen for " +
                detail::inputs_text(runs_[run].graph) + ", got others");
  }

  static constexpr std::int64_t kCheapElements = 1 << 15;

  /// Other sizes at which a function must work to be said to take any: half, double and near ones.
  static constexpr std::size_t kOtherSizes = 3;

  const GraphFunction& function_;
  const Inputs inputs_;
  const NamedTensors& attributes_;
  const detail::ScopeNames& scopes_;
  const detail::ExploreOptions& options_;
  std::size_t nodes_ = 0;  // of all runs
  Places batch_;
  std::vector<Free> free_;
  std::vector<Recording> runs_;  // the first as given, the second with one row more
  std::vector<Inputs> run_inputs_;
};

}  // namespace

detail::Explored detail::explore(const GraphFunction& function, std::span<const Tensor> inputs,
                                 const NamedTensors& attributes, const ScopeNames& scope_names,
                                 const ExploreOptions& options) {
  if (!function) throw TypeError("capture: expected a function, got an empty one");
  for (const Tensor& input : inputs) {
    if (!input.defined()) throw TypeError("capture: expected defined inputs, got an undefined one");
  }
  const NoGradGuard no_grad;
  std::optional<TypesOnlyGuard> types_only;
  if (options.types_only) types_only.emplace();
  return Explorer(function, inputs, attributes, scope_names, options).explore();
}

Graph capture(const GraphFunction& function, std::span<const Tensor> inputs, const NamedTensors& attributes,
              const std::vector<std::pair<const void*, std::string>>& scope_names) {
  return detail::explore(function, inputs, attributes, scope_names).graph;
}

}  // namespace teff
