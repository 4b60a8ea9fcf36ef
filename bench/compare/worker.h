// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <functional>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

// The C++ side of the protocol between compare.py and the engines (C++17: not every engine's headers know
// C++20).
//
// A worker first writes one line {"version": ...}. Then it answers each line `run <work> <repetitions>` with
// a line
// {"times": [microseconds...], "first": [values...]}, {"skip": true} for a work that it does not know, or
// {"error": ...}. A work is a kind and its numbers, for example conv_forward/1/64/56/3/64/1.
namespace compare {

using Values = std::vector<float>;

/// What is timed, and the first values of its last result, by which the engines are compared. Empty: not
/// known here.
struct Work {
  std::function<void()> run;
  std::function<Values()> result;
};

/// The name of a work in its parts.
class Request {
 public:
  explicit Request(const std::string& work) {
    std::istringstream text(work);
    for (std::string part; std::getline(text, part, '/');) parts_.push_back(part);
  }
  const std::string& kind() const { return parts_.at(0); }
  const std::string& text(std::size_t i) const { return parts_.at(i); }
  std::int64_t number(std::size_t i) const { return std::stoll(parts_.at(i)); }

 private:
  std::vector<std::string> parts_;
};

/// The numbers of conv_forward and conv_both: images [batch, channels, size, size], `out` kernels of `kernel`
/// squared.
struct ConvShape {
  std::int64_t batch, channels, size, kernel, out, stride;
  explicit ConvShape(const Request& r)
      : batch(r.number(1)),
        channels(r.number(2)),
        size(r.number(3)),
        kernel(r.number(4)),
        out(r.number(5)),
        stride(r.number(6)) {}
  std::int64_t padding() const { return kernel / 2; }
  std::int64_t side() const { return (size + 2 * padding() - kernel) / stride + 1; }
};

/// The input of every engine: exact in float32, and the same in every language.
inline void fill_pattern(float* values, std::int64_t count, float scale = 1) {
  for (std::int64_t i = 0; i < count; ++i) values[i] = (static_cast<float>(i * 37 % 101) / 64 - 0.75f) * scale;
}

constexpr float kWeightScale = 1.0f / 64;  // of fill_pattern for weights, so that sums stay near 1

inline Values first_values(const float* values, std::int64_t count) {
  return Values(values, values + std::min<std::int64_t>(count, 8));
}

template <class T>
std::string json(const std::vector<T>& values) {
  std::ostringstream out;
  out.precision(9);
  for (const T& value : values) out << (out.tellp() == 0 ? "[" : ", ") << value;
  return values.empty() ? "[]" : out.str() + "]";
}

/// The clock on the wall; the process's time on all processors if TEFF_COMPARE_CLOCK is set (compare.py
/// --cpu-time).
inline double now_microseconds() {
  static const clockid_t clock = std::getenv("TEFF_COMPARE_CLOCK") ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC;
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

/// Times `repetitions` calls one by one, after some that are not counted.
inline std::vector<double> time_runs(const Work& work, int repetitions) {
  for (int i = 0; i < 1 + repetitions / 10; ++i) work.run();
  std::vector<double> microseconds;
  for (int i = 0; i < repetitions; ++i) {
    const double start = now_microseconds();
    work.run();
    microseconds.push_back(now_microseconds() - start);
  }
  return microseconds;
}

/// Answers requests until the input ends. `make` prepares a work; it is kept while the requests ask for the
/// same one.
inline int serve(const std::string& version, const std::function<Work(const Request&)>& make) {
  std::cout << "{\"version\": \"" << version << "\"}" << std::endl;
  std::string line, current;
  Work work;
  Values first;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    std::string command, name;
    int repetitions = 1;
    words >> command >> name >> repetitions;
    try {
      if (name != current) {
        current = "";
        work = {};
        work = make(Request(name));
        if (!work.run) {
          std::cout << "{\"skip\": true}" << std::endl;
          continue;
        }
        work.run();
        first = work.result();
        current = name;
      }
      const std::string times = json(time_runs(work, repetitions));
      std::cout << "{\"times\": " << times << ", \"first\": " << json(first) << "}" << std::endl;
    } catch (const std::exception& error) {
      std::string text = error.what();
      for (char& c : text) c = c == '"' || c == '\\' || static_cast<unsigned char>(c) < ' ' ? ' ' : c;
      std::cout << "{\"error\": \"" << text << "\"}" << std::endl;
    }
  }
  return 0;
}

}  // namespace compare
