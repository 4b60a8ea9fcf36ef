// SPDX-License-Identifier: MIT
#include "teff/engine/profiler.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <mutex>
#include <ostream>
#include <thread>
#include <unordered_map>

#include "teff/engine/error.h"
#include "teff/engine/op_timer.h"
#include "teff/engine/process.h"
#include "teff/engine/text.h"

namespace teff {

using ProfileClock = std::chrono::steady_clock;

struct Profiler::State {
  ProfileClock::time_point start = ProfileClock::now();
  std::unordered_map<const void*, std::string> scope_names;
  std::map<std::thread::id, std::int64_t> threads;
  std::vector<ProfilerEvent> events;
};

/// The way from OpTimer to the profiler that records.
struct ProfilerAccess {
  using State = Profiler::State;
  detail::ProcessMutex mutex;  // of all profilers
  std::shared_ptr<State> active;

  static void record(const detail::TimedOp& timed);
  static ProfilerAccess& get() {
    static auto* instance = new ProfilerAccess;  // never destroyed: see parallel.cpp
    return *instance;
  }
};

void ProfilerAccess::record(const detail::TimedOp& timed) {
  const ProfileClock::time_point end = ProfileClock::now();
  ProfilerAccess& access = get();
  const std::lock_guard lock(access.mutex);
  const std::shared_ptr<State> state = access.active;
  if (state == nullptr) return;
  const auto nanoseconds = [](ProfileClock::duration time) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
  };
  ProfilerEvent event;
  event.op = timed.backward ? std::string(timed.op) + " backward" : std::string(timed.op);
  if (const auto name = state->scope_names.find(timed.scope); name != state->scope_names.end()) {
    event.scope = name->second;
  }
  event.start_ns = nanoseconds(timed.start - state->start);
  event.duration_ns = nanoseconds(end - timed.start);
  event.flop = timed.flop;
  event.bytes = timed.bytes;
  const auto next = static_cast<std::int64_t>(state->threads.size());
  event.thread = state->threads.emplace(std::this_thread::get_id(), next).first->second;
  state->events.push_back(std::move(event));
}

Profiler::Profiler(std::vector<std::pair<const void*, std::string>> scope_names) : state_(std::make_shared<State>()) {
  state_->scope_names.insert(scope_names.begin(), scope_names.end());
  ProfilerAccess& access = ProfilerAccess::get();
  const std::lock_guard lock(access.mutex);
  if (access.active != nullptr) throw Error("Profiler: expected one at a time, got a second one");
  access.active = state_;
  detail::op_recorder.store(&ProfilerAccess::record, std::memory_order_relaxed);
}

Profiler::~Profiler() { stop(); }

void Profiler::stop() {
  ProfilerAccess& access = ProfilerAccess::get();
  const std::lock_guard lock(access.mutex);
  if (access.active != state_) return;
  detail::op_recorder.store(nullptr, std::memory_order_relaxed);
  access.active = nullptr;
}

std::vector<ProfilerEvent> Profiler::events() const {
  std::vector<ProfilerEvent> result;
  {
    const std::lock_guard lock(ProfilerAccess::get().mutex);
    result = state_->events;
  }
  std::stable_sort(result.begin(), result.end(), [](const ProfilerEvent& a, const ProfilerEvent& b) {
    return std::pair(a.thread, a.start_ns) < std::pair(b.thread, b.start_ns);
  });
  return result;
}

namespace {

struct Row {
  std::string op, scope;
  std::int64_t calls = 0;
  double nanoseconds = 0, flop = 0, bytes = 0;
};

std::vector<Row> rows_by_cost(const std::vector<ProfilerEvent>& events) {
  std::map<std::pair<std::string, std::string>, Row> rows;
  for (const ProfilerEvent& event : events) {
    Row& row = rows[{event.scope, event.op}];
    row.op = event.op;
    row.scope = event.scope;
    ++row.calls;
    row.nanoseconds += static_cast<double>(event.duration_ns);
    row.flop += event.flop;
    row.bytes += event.bytes;
  }
  std::vector<Row> result;
  for (auto& [key, row] : rows) result.push_back(std::move(row));
  std::stable_sort(result.begin(), result.end(),
                   [](const Row& a, const Row& b) { return a.nanoseconds > b.nanoseconds; });
  return result;
}

std::string padded(const std::string& text, std::size_t width) {
  return text + std::string(text.size() < width ? width - text.size() : 0, ' ');
}

}  // namespace

void Profiler::write_chrome_trace(std::ostream& out) const {
  out << "{\"traceEvents\":[";
  const char* separator = "\n";
  for (const ProfilerEvent& event : events()) {
    char times[160];
    std::snprintf(times, sizeof times,
                  "\"ts\":%.3f,\"dur\":%.3f,\"pid\":1,\"tid\":%lld,\"args\":{\"flop\":%.0f,\"bytes\":%.0f,",
                  static_cast<double>(event.start_ns) / 1e3, static_cast<double>(event.duration_ns) / 1e3,
                  static_cast<long long>(event.thread), event.flop, event.bytes);
    out << separator << "{\"ph\":\"X\",\"name\":" << detail::json_string(event.op) << ',' << times
        << "\"module\":" << detail::json_string(event.scope) << "}}";
    separator = ",\n";
  }
  out << "\n],\"displayTimeUnit\":\"ns\"}\n";
}

std::ostream& operator<<(std::ostream& out, const Profiler& profiler) {
  const std::vector<Row> rows = rows_by_cost(profiler.events());
  double total = 0;
  std::size_t op_width = 9, scope_width = 6;
  for (const Row& row : rows) {
    total += row.nanoseconds;
    op_width = std::max(op_width, row.op.size());
    scope_width = std::max(scope_width, row.scope.size());
  }
  out << padded("operation", op_width) << "  " << padded("module", scope_width)
      << "   calls   total us    mean us   share  GFLOP/s    GB/s\n";
  for (const Row& row : rows) {
    char numbers[128];
    std::snprintf(numbers, sizeof numbers, "%8lld %10.1f %10.2f %6.1f%% %8.2f %7.2f\n",
                  static_cast<long long>(row.calls), row.nanoseconds / 1e3,
                  row.nanoseconds / 1e3 / static_cast<double>(row.calls), 100 * row.nanoseconds / std::max(total, 1.0),
                  row.flop / std::max(row.nanoseconds, 1.0), row.bytes / std::max(row.nanoseconds, 1.0));
    out << padded(row.op, op_width) << "  " << padded(row.scope, scope_width) << numbers;
  }
  return out;
}

}  // namespace teff
