// SPDX-License-Identifier: MIT
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>

#include <teff/teff.h>

#include "teff/serialize/cli/command.h"
#include "teff/serialize/cli/input.h"
#include "teff/serialize/cli/json.h"
#include "teff/serialize/cli/model_inputs.h"
#include "teff/serialize/cli/text.h"

namespace teff::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string model;
  std::vector<std::string> shapes;
  std::vector<std::int64_t> batches, threads;
  double seconds = 1;
  bool operations = false, json = false;
  LoadOptions loading;
};

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Seconds of each call, sorted: as many calls as the time allows, at least three, after one that does not count.
template <class Function>
std::vector<double> time_calls(double seconds, Function&& call) {
  call();
  std::vector<double> times;
  for (const Clock::time_point start = Clock::now(); times.size() < 3 || seconds_since(start) < seconds;) {
    const Clock::time_point before = Clock::now();
    call();
    times.push_back(seconds_since(before));
  }
  std::sort(times.begin(), times.end());
  return times;
}

/// Operations in a second of the fastest product of matrices here: what the others are measured by.
double measure_peak() {
  double peak = 0;
  for (const std::int64_t size : {256, 512, 768}) {
    const Tensor a = ones({size, size}), b = ones({size, size});
    const std::vector<double> times = time_calls(0.1, [&] { matmul(a, b); });
    const auto side = static_cast<double>(size);
    peak = std::max(peak, 2 * side * side * side / times[0]);
  }
  return peak;
}

/// What one session did on inputs of one size, by so many threads.
struct Timing {
  std::int64_t batch = 0, threads = 0;
  double best = 0, median = 0;  // seconds of a run
  double preparation = 0;       // seconds to make the session
  std::size_t memory = 0;       // bytes of its results
};

struct Operation {
  std::string op, module;
  double seconds = 0, flop = 0, bytes = 0;  // of one run
};

std::string text_of(double number, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, number);
  return text;
}

std::vector<Operation> cost_by_operation(nn::InferenceSession& session, const std::vector<Tensor>& inputs, int runs) {
  Profiler profiler(scope_names(session));
  for (int i = 0; i < runs; ++i) session.run(inputs);
  profiler.stop();
  std::map<std::pair<std::string, std::string>, Operation> operations;
  for (const ProfilerEvent& event : profiler.events()) {
    Operation& operation = operations[{event.scope, event.op}];
    operation.op = event.op;
    operation.module = event.scope;
    operation.seconds += 1e-9 * static_cast<double>(event.duration_ns) / runs;
    operation.flop += event.flop / runs;
    operation.bytes += event.bytes / runs;
  }
  std::vector<Operation> sorted;
  for (auto& [name, operation] : operations) sorted.push_back(std::move(operation));
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Operation& a, const Operation& b) { return a.seconds > b.seconds; });
  return sorted;
}

class Bench {
 public:
  explicit Bench(const Options& options) : options_(options), model_(open_model(options.model, options.loading)) {
    model_.eval();
    if (options_.threads.empty()) options_.threads = {get_num_threads()};
    if (options_.batches.empty()) options_.batches = {0};  // as captured, or as --shape says
  }

  void run() {
    for (const std::int64_t threads : options_.threads) {
      set_num_threads(static_cast<int>(std::min<std::int64_t>(threads, 1024)));
      for (const std::int64_t batch : options_.batches) time(batch);
    }
  }

  void print() const {
    Table table;
    table.add({"batch", "threads", "best ms", "median ms", "a second", "session ms", "memory"});
    for (const Timing& t : timings_) {
      table.add({std::to_string(t.batch), std::to_string(t.threads), text_of(1e3 * t.best, 3),
                 text_of(1e3 * t.median, 3), text_of(static_cast<double>(t.batch) / t.median, 1),
                 text_of(1e3 * t.preparation, 1), bytes_text(t.memory)});
    }
    table.print(std::cout);
    if (options_.operations) print_operations();
  }

  Value as_json() const {
    List timings, operations;
    for (const Timing& t : timings_) {
      timings.push_back(Dict{{"batch", t.batch},
                             {"threads", t.threads},
                             {"best_ms", 1e3 * t.best},
                             {"median_ms", 1e3 * t.median},
                             {"session_ms", 1e3 * t.preparation},
                             {"memory_bytes", static_cast<std::int64_t>(t.memory)}});
    }
    for (const Operation& o : operations_) {
      operations.push_back(Dict{{"operation", o.op},
                                {"module", o.module},
                                {"ms", 1e3 * o.seconds},
                                {"gflops", 1e-9 * o.flop / o.seconds},
                                {"of_peak", o.flop / o.seconds / peak_}});
    }
    Dict result{{"file", options_.model}, {"runs", timings}};
    if (options_.operations) {
      result["peak_gflops"] = 1e-9 * peak_;
      result["operations"] = operations;
    }
    return result;
  }

 private:
  void time(std::int64_t batch) {
    const std::vector<Tensor> inputs = make_inputs(model_, options_.shapes, batch);
    const Clock::time_point start = Clock::now();
    nn::InferenceSession session(model_, shapes_of(inputs));
    Timing timing;
    timing.preparation = seconds_since(start);
    timing.memory = session.memory_bytes();
    timing.threads = get_num_threads();
    timing.batch = inputs.empty() || inputs[0].dim() == 0 ? 1 : inputs[0].size(0);
    const std::vector<double> times = time_calls(options_.seconds, [&] { session.run(inputs); });
    timing.best = times.front();
    timing.median = times[times.size() / 2];
    timings_.push_back(timing);
    if (!options_.operations || timings_.size() > 1) return;
    peak_ = measure_peak();
    const double runs = options_.seconds / std::max(timing.median, 1e-9);
    operations_ = cost_by_operation(session, inputs, static_cast<int>(std::clamp(runs, 1.0, 1000.0)));
  }

  void print_operations() const {
    double total = 0;
    for (const Operation& o : operations_) total += o.seconds;
    std::cout << "\nOf the first row; the fastest product of matrices makes " << text_of(1e-9 * peak_, 1)
              << " GFLOP/s:\n";
    Table table;
    table.add({"operation", "module", "us", "share", "GFLOP/s", "of that", "GB/s"});
    for (const Operation& o : operations_) {
      table.add({o.op, o.module, text_of(1e6 * o.seconds, 1), text_of(100 * o.seconds / total, 1) + "%",
                 text_of(1e-9 * o.flop / o.seconds, 2), text_of(100 * o.flop / o.seconds / peak_, 1) + "%",
                 text_of(1e-9 * o.bytes / o.seconds, 2)});
    }
    table.print(std::cout);
  }

  Options options_;
  nn::GraphModule model_;
  std::vector<Timing> timings_;
  std::vector<Operation> operations_;
  double peak_ = 0;
};

int bench(const Options& options) {
  Bench bench(options);
  bench.run();
  if (options.json) {
    print_json(std::cout, bench.as_json());
  } else {
    bench.print();
  }
  return kOk;
}

std::function<int()> set_up(Parameters& parameters) {
  const auto options = std::make_shared<Options>();
  parameters.required("MODEL", options->model, "an entire model, of any format that `teff convert` takes one from");
  parameters.list("--shape", options->shapes,
                  "sizes like 1x3x224x224, for each input; without it those of the example it was captured with");
  parameters.counts("--batch", options->batches, "numbers of rows, such as 1,8,32");
  parameters.counts("--threads", options->threads, "numbers of threads, such as 1,2; without it those of the machine");
  parameters.number("--seconds", options->seconds, "how long each row is measured");
  parameters.flag("--operations", options->operations, "print what each operation costs, too");
  parameters.flag("--json", options->json, "print an object");
  parameters.input_types(options->loading);
  parameters.limits(options->loading);
  return [options] { return bench(*options); };
}

}  // namespace

const Command kBench = {"bench", "Times a model on made-up inputs, by batch, by threads and by operation",
                        "Examples:\n"
                        "  teff bench model.teff --batch 1,8,32 --threads 1,2\n"
                        "  teff bench model.onnx --shape 1x3x224x224 --operations",
                        set_up};

}  // namespace teff::cli
