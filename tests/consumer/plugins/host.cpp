// SPDX-License-Identifier: MIT
// host PLUGIN PLUGIN: loads both, three times; they work side by side, know nothing of each other, and leave nothing
// behind: neither code nor threads. The host has no Teff.
#include <dlfcn.h>

#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace {

void expect(bool ok, const std::string& what) {
  if (!ok) throw std::runtime_error("expected " + what);
}

class Plugin {
 public:
  explicit Plugin(const char* path) : handle_(dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) throw std::runtime_error(dlerror());
  }
  ~Plugin() { dlclose(handle_); }
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  template <class Function>
  Function* find(const char* name) const {
    void* const symbol = dlsym(handle_, name);
    if (symbol == nullptr) throw std::runtime_error(dlerror());
    return reinterpret_cast<Function*>(symbol);
  }
  int run(int threads) const { return find<int(int)>("teff_plugin_run")(threads); }
  int threads() const { return find<int()>("teff_plugin_threads")(); }
  std::string error() const {
    try {
      find<void()>("teff_plugin_throw")();
    } catch (const std::exception& error) {
      return error.what();
    }
    return "";
  }

 private:
  void* handle_;
};

bool is_mapped(const std::string& path) {
  std::ifstream maps("/proc/self/maps");
  const std::string text{std::istreambuf_iterator<char>(maps), {}};
  return text.find(path) != std::string::npos;
}

std::ptrdiff_t count_threads() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator());
}

void load_both(const char* first_path, const char* second_path) {
  const Plugin first(first_path), second(second_path);
  expect(first.run(3) == 3, "3 threads in the first plugin");
  expect(second.run(2) == 2, "2 threads in the second plugin");
  expect(first.threads() == 3, "3 threads in the first plugin still");
  expect(first.error() == "plugin: expected", "the plugin's exception");
  expect(is_mapped(first_path) && is_mapped(second_path), "both plugins in memory");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return EXIT_FAILURE;
  try {
    for (int time = 0; time < 3; ++time) {
      load_both(argv[1], argv[2]);
      for (const char* path : {argv[1], argv[2]}) expect(!is_mapped(path), std::string(path) + " to be unloaded");
      expect(count_threads() == 1, "no thread but this one");
    }
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
  std::cout << "both plugins came and went, 3 times\n";
}
