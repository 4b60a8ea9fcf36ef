// SPDX-License-Identifier: MIT
// The library in a process that forks, ends in odd ways, takes signals, or may start no thread. Each case is a process
// of its own, made before the library was used; a case is right if its process ends with 0 before its time is over.

#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "support/threads_guard.h"
#include "teff/engine/process.h"
#include "teff/teff.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TEFF_ADDRESS_SANITIZER
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define TEFF_ADDRESS_SANITIZER
#endif

using namespace teff;

namespace {

int failures = 0;

void check(bool right, const char* what) {
  if (right) return;
  std::fprintf(stderr, "  expected %s\n", what);
  ++failures;
}

/// Work of every kind that takes locks or threads of the library.
Tensor work() {
  Generator generator(1);
  const Tensor x = randn({8, 3, 24, 24}, generator), w = randn({16, 3, 3, 3}, generator);
  w.requires_grad_();
  conv2d(x, w).relu().sum().backward();
  return w.grad().clone();
}

bool same(const Tensor& a, const Tensor& b) { return Value(a) == Value(b); }

/// How the process ended: 0 if well.
int wait_for(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

template <class Function>
int in_child(Function&& function) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child != 0) return wait_for(child);
  alarm(60);
  failures = 0;
  function();
  std::exit(failures == 0 ? 0 : 1);
}

void a_child_computes_and_exits() {
  set_num_threads(4);
  const Tensor expected = work();
  for (int i = 0; i < 5; ++i) {
    const int status = in_child([&] {
      check(get_num_threads() == 4, "the parent's number of threads");
      check(same(work(), expected), "the parent's bits");
      check(testing::on_another_thread([] {}), "threads of the child's own");
      set_num_threads(3);
      check(same(work(), expected), "the same bits with another number of threads");
      // And a child of the child.
      check(in_child([&] { check(same(work(), expected), "the bits in a grandchild"); }) == 0, "a grandchild to exit");
    });
    check(status == 0, "a child that exits with 0");
  }
  check(same(work(), expected), "a parent that works on");
}

void a_child_that_only_exits() {
  set_num_threads(4);
  work();
  for (int i = 0; i < 10; ++i) check(in_child([] {}) == 0, "a child that exits with 0");
}

void a_child_of_a_busy_parent() {
  set_num_threads(3);
  const Tensor expected = work();
  std::atomic<bool> stop = false;
  std::thread busy([&] {
    while (!stop) {
      work();
      manual_seed(3);
      static_cast<void>(rand({1000}));
      static_cast<void>(registered_ops());
    }
  });
  for (int i = 0; i < 30; ++i) {
    check(in_child([&] {
            set_num_threads(2);
            manual_seed(1);
            static_cast<void>(rand({10}));
            check(same(work(), expected), "the parent's bits");
          }) == 0,
          "a child that exits with 0");
  }
  stop = true;
  busy.join();
}

void a_daemon() {
  set_num_threads(2);
  const Tensor expected = work();
  check(in_child([&] {
          setsid();
          check(in_child([&] { check(same(work(), expected), "the parent's bits"); }) == 0,
                "a daemon that exits with 0");
        }) == 0,
        "a session leader that exits with 0");
}

void a_loader_in_a_child() {
  data::TensorDataset set(ones({64, 2}));
  data::DataLoader loader(set, {.batch_size = 2});
  auto batch = loader.begin();
  check(in_child([&] {
          std::string error;
          try {
            while (batch != loader.end()) ++batch;
          } catch (const Error& e) {
            error = e.what();
          }
          check(error ==
                    "DataLoader: expected the process that began to iterate, got a child of it; begin again, or use "
                    "{.prefetch = 0}",
                "an error for an iterator of the parent");
          int batches = 0;
          for (const auto& each : loader) batches += each.data.defined() ? 1 : 0;
          check(batches == 32, "a loop of the child's own");
          batch = loader.begin();  // lets go of the parent's
        }) == 0,
        "a child that exits with 0");
  check(in_child([] {}) == 0, "a child that exits beside an iterator");
}

Tensor* at_exit_expected = nullptr;

void work_at_exit() {
  set_num_threads(2);
  at_exit_expected = new Tensor(work());
  std::atexit([] {  // registered after the pool was made, and so called before its end
    if (!same(work(), *at_exit_expected)) std::_Exit(1);
  });
}

void work_after_everything() {
  std::atexit([] {  // registered before the pool was made, and so called after its end
    for (int i = 0; i < 50; ++i) {
      if (!same(work(), *at_exit_expected)) std::_Exit(1);
    }
  });
  set_num_threads(3);
  at_exit_expected = new Tensor(work());
}

void exit_while_another_thread_works() {
  for (int i = 0; i < 20; ++i) {
    check(in_child([i] {
            set_num_threads(3);
            nn::Sequential net{nn::Conv2d(3, 8, 3), nn::ReLU(), nn::Flatten(), nn::Linear(8 * 10 * 10, 10)};
            optim::SGD optimizer(net.parameters(), {.lr = 0.01, .momentum = 0.9});
            const Tensor x = randn({4, 3, 12, 12});
            net(x);
            std::thread([i] {
              usleep(static_cast<useconds_t>(1000 + 700 * i));
              std::exit(0);
            }).detach();
            for (;;) {
              optimizer.zero_grad();
              net(x).sum().backward();
              optimizer.step();
            }
          }) == 0,
          "exit code 0");
  }
}

void exit_in_a_task() {
  for (int i = 0; i < 10; ++i) {
    check(in_child([i] {
            set_num_threads(3);
            work();
            parallel_for(100, [i](std::int64_t task) {
              if (task == 7 * i) std::exit(0);
            });
            std::_Exit(1);
          }) == 0,
          "exit code 0");
  }
}

void signals_are_the_programs() {
  set_num_threads(3);
  check(testing::on_another_thread([] {}), "workers");
  data::TensorDataset set(ones({100'000, 4}));
  data::DataLoader loader(set, {.batch_size = 1});
  const auto batch = loader.begin();
  sigset_t terminate;
  sigemptyset(&terminate);
  sigaddset(&terminate, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &terminate, nullptr);  // of this thread alone: the others were there before
  kill(getpid(), SIGTERM);
  const timespec patience{10, 0};
  check(sigtimedwait(&terminate, nullptr, &patience) == SIGTERM, "SIGTERM to wait for this thread");
  sigset_t now;
  pthread_sigmask(SIG_SETMASK, nullptr, &now);
  check(sigismember(&now, SIGUSR1) == 0, "this thread's mask as it was");
}

void one_processor() {
  cpu_set_t one;
  CPU_ZERO(&one);
  cpu_set_t all;
  sched_getaffinity(0, sizeof(all), &all);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &all)) continue;
    CPU_SET(cpu, &one);
    break;
  }
  check(sched_setaffinity(0, sizeof(one), &one) == 0, "to be allowed one processor");
  unsetenv("TEFF_NUM_THREADS");
  check(get_num_threads() == 1, "one thread on one processor");
}

void a_number_of_threads_that_is_none() {
  setenv("TEFF_NUM_THREADS", "many", 1);
  std::string error;
  try {
    work();
  } catch (const ValueError& e) {
    error = e.what();
  }
  check(error == "TEFF_NUM_THREADS: expected a count from 1 to 1024, got \"many\"",
        "an error for TEFF_NUM_THREADS=many");
}

#if defined(__GLIBC__)
void stacks_of(std::size_t bytes) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, bytes);
  pthread_setattr_default_np(&attributes);
  pthread_attr_destroy(&attributes);
}

void threads_are_refused() {
  set_num_threads(1);
  const Tensor expected = work();
  stacks_of(std::size_t{1} << 46);  // no system gives a thread so much
  set_num_threads(4);
  check(same(work(), expected) && same(work(), expected), "the bits of one thread");
  check(get_num_threads() == 4, "the number that was asked for");
  check(!testing::on_another_thread([] {}), "no thread");
  for (const FileFormat format : {FileFormat::teff, FileFormat::pytorch}) {
    std::stringstream file;
    save(Dict{{"w", ones({100'000})}}, file, {.format = format});
    check(same(load(file).at("w").as_tensor(), ones({100'000})), "a file that comes back");
  }
  data::TensorDataset set(ones({8, 2}));
  int batches = 0;
  data::DataLoader loader(set, {.batch_size = 2});
  for (const auto& batch : loader) batches += batch.data.defined() ? 1 : 0;
  check(batches == 4, "a loader that gives all batches");
}

void small_stacks() {
  set_num_threads(1);
  const Tensor expected = work();
  stacks_of(128 * 1024);
  set_num_threads(4);
  check(same(work(), expected), "the same bits on small stacks");
  check(testing::on_another_thread([] {}), "threads with small stacks");
}
#endif

void write(const std::filesystem::path& path, const char* text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

void quotas() {
  namespace fs = std::filesystem;
  const std::string root = "/tmp/teff_quota_" + std::to_string(getpid());
  const double none = detail::control_group_quota("0::/\n", root);
  check(none > 1e300, "no quota where there are no groups");
  write(root + "/a/b/cpu.max", "max 100000\n");
  check(detail::control_group_quota("0::/a/b\n", root) == none, "no quota for max");
  write(root + "/a/cpu.max", "250000 100000\n");
  check(detail::control_group_quota("0::/a/b\n", root) == 2.5, "the quota of the group around");
  write(root + "/a/b/cpu.max", "150000 100000\n");
  check(detail::control_group_quota("0::/a/b\n", root) == 1.5, "the least of both");
  write(root + "/cpu.max", "50000 100000\n");
  check(detail::control_group_quota("0::/elsewhere\n", root) == 0.5, "what is mounted, where the path is another's");
  write(root + "/cpu,cpuacct/c/cpu.cfs_quota_us", "300000\n");
  write(root + "/cpu,cpuacct/c/cpu.cfs_period_us", "100000\n");
  check(detail::control_group_quota("7:cpu,cpuacct:/c\n5:cpuset:/c\n", root) == 3, "the quota of version 1");
  write(root + "/cpu,cpuacct/c/cpu.cfs_quota_us", "-1\n");
  check(detail::control_group_quota("7:cpu,cpuacct:/c\n", root) == none, "no quota for -1");
  check(detail::control_group_quota("nonsense\n:\n", root) == none, "nothing of other lines");
  fs::remove_all(root);
  check(detail::available_processors() >= 1, "a processor");
}

struct Case {
  const char* name;
  void (*run)();
};

constexpr Case kCases[] = {
    {"a child computes, with threads of its own, and exits", a_child_computes_and_exits},
    {"a child that only exits", a_child_that_only_exits},
    {"a child of a parent whose other threads are at work", a_child_of_a_busy_parent},
    {"a daemon", a_daemon},
    {"a DataLoader in a child", a_loader_in_a_child},
    {"work in a function given to atexit", work_at_exit},
    {"work in a function given to atexit before the first operation", work_after_everything},
    {"exit while another thread works", exit_while_another_thread_works},
    {"exit in a task", exit_in_a_task},
    {"signals are taken by the program's threads", signals_are_the_programs},
    {"one processor, one thread", one_processor},
    {"TEFF_NUM_THREADS=many", a_number_of_threads_that_is_none},
#if defined(__GLIBC__)
    {"threads are refused", threads_are_refused},
    {"small stacks", small_stacks},
#endif
    {"quotas of control groups", quotas},
};

/// Why a case cannot be told in this build, or null.
const char* why_left_out([[maybe_unused]] const Case& each) {
#ifdef TEFF_ADDRESS_SANITIZER
  if (each.run == a_child_of_a_busy_parent) {
    return "AddressSanitizer's allocator forks with locks that other threads hold, and the child waits for ever";
  }
#endif
  return nullptr;
}

}  // namespace

/// main(), or main(name) for that case alone.
int main(int argc, char** argv) {
  int wrong = 0;
  for (const Case& each : kCases) {
    if (argc > 1 && std::strcmp(argv[1], each.name) != 0) continue;
    if (const char* reason = why_left_out(each)) {
      std::printf("%s: left out, %s\n", each.name, reason);
      continue;
    }
    const int status = in_child(each.run);
    std::printf("%s: %s\n", each.name, status == 0 ? "right" : "WRONG");
    if (WIFSIGNALED(status)) std::printf("  ended by signal %d\n", WTERMSIG(status));
    wrong += status == 0 ? 0 : 1;
  }
  return wrong == 0 ? 0 : 1;
}
