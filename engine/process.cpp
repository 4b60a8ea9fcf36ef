// SPDX-License-Identifier: MIT
#include "teff/engine/process.h"

#include <pthread.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>
#include <string>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#include <sys/mman.h>
#elif defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>
#endif

namespace teff::detail {
namespace {

constexpr double kNone = std::numeric_limits<double>::infinity();

int processors_of_affinity() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(1, CPU_COUNT(&set));
#elif defined(_WIN32)
  DWORD_PTR process = 0, system = 0;
  if (GetProcessAffinityMask(GetCurrentProcess(), &process, &system) != 0 && process != 0)
    return std::popcount(process);
#endif
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

double quotient(double quota, double period) { return quota > 0 && period > 0 ? quota / period : kNone; }

/// "max 100000" or "150000 100000": microseconds of each period.
double quota_v2(const std::string& group) {
  double quota = 0, period = 0;
  std::istringstream text(text_of(group + "/cpu.max"));
  text.imbue(std::locale::classic());
  return text >> quota >> period ? quotient(quota, period) : kNone;
}

double quota_v1(const std::string& group) {
  double quota = 0, period = 0;
  std::istringstream text(text_of(group + "/cpu.cfs_quota_us") + ' ' + text_of(group + "/cpu.cfs_period_us"));
  text.imbue(std::locale::classic());
  return text >> quota >> period ? quotient(quota, period) : kNone;
}

/// The least along the path of a group. In a container the path may be that of the machine outside, of which only the
/// last part, or nothing, is there: what is missing sets no quota.
double least(double (*quota)(const std::string&), const std::string& mount, std::string path) {
  double result = kNone;
  for (;;) {
    result = std::min(result, quota(mount + path));
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return result;
    path.resize(slash);
  }
}

bool has_word(std::string_view list, std::string_view word) {
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    if (list.substr(begin, end - begin) == word) return true;
    begin = end + 1;
  }
  return false;
}

}  // namespace

struct ProcessMutex::AllOfThem {
  std::mutex mutex;  // held from before a fork until after it, so that none is added meanwhile
  ProcessMutex* first = nullptr;

  static void before() {
    all().mutex.lock();
    for (ProcessMutex* each = all().first; each != nullptr; each = each->next_) each->lock();
  }
  static void after() {
    for (ProcessMutex* each = all().first; each != nullptr; each = each->next_) each->unlock();
    all().mutex.unlock();
  }
  AllOfThem() { pthread_atfork(before, after, after); }
};

ProcessMutex::AllOfThem& ProcessMutex::all() {
  static AllOfThem* instance = new AllOfThem;  // never destroyed: threads may run to the very end of a process
  return *instance;
}

ProcessMutex::ProcessMutex() {
  const std::lock_guard lock(all().mutex);
  next_ = all().first;
  all().first = this;
}

#if defined(_WIN32)  // where signals go to no thread that is there already
SignalsBlocked::SignalsBlocked() = default;
SignalsBlocked::~SignalsBlocked() = default;
#else
SignalsBlocked::SignalsBlocked() {
  sigset_t blocked;
  sigfillset(&blocked);
  for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT}) sigdelset(&blocked, own);
  pthread_sigmask(SIG_SETMASK, &blocked, &previous_);
}

SignalsBlocked::~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &previous_, nullptr); }
#endif

int available_processors() {
  const int processors = processors_of_affinity();
  const double quota = control_group_quota(text_of("/proc/self/cgroup"), "/sys/fs/cgroup");
  return quota < processors ? std::max(1, static_cast<int>(std::ceil(quota))) : processors;
}

double control_group_quota(std::string_view membership, std::string_view root) {
  double result = kNone;
  const std::string mount(root);
  std::istringstream lines{std::string(membership)};
  for (std::string line; std::getline(lines, line);) {  // 0::/path, or 4:cpu,cpuacct:/path
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    std::string path = line.substr(second + 1);
    if (path == "/") path.clear();
    if (controllers.empty()) {
      result = std::min(result, least(quota_v2, mount, path));
    } else if (has_word(controllers, "cpu")) {
      result =
          std::min({result, least(quota_v1, mount + "/cpu", path), least(quota_v1, mount + '/' + controllers, path)});
    }
  }
  return result;
}

void prefer_huge_pages([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  static_cast<void>(madvise(memory, bytes / kHugePage * kHugePage, MADV_HUGEPAGE));
#endif
}

}  // namespace teff::detail
