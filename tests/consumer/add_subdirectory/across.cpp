// SPDX-License-Identifier: MIT
// Types and exceptions across the border of a shared library, from a program that hides its own symbols.
#include <cstdlib>
#include <iostream>
#include <string>

#include <teff/engine/parallel.h>
#include <teff/teff.h>

namespace {

using namespace teff;

void expect(bool ok, const std::string& what) {
  if (ok) return;
  std::cerr << "expected " << what << '\n';
  std::exit(EXIT_FAILURE);
}

struct OwnError : ValueError {
  using ValueError::ValueError;
};

struct Own : nn::Module {
  nn::Linear linear{2, 2};
  TEFF_MODULE(Own, linear)

  Tensor forward(const Tensor& x) override {
    if (x.size(0) == 3) throw OwnError("own: 3");
    return linear(x);
  }
};

template <class Error, class Call>
bool throws(const Call& call) {
  try {
    call();
  } catch (const Error&) {
    return true;
  } catch (...) {
  }
  return false;
}

}  // namespace

int main() {
  const auto wrong = [] { matmul(ones({2, 3}), ones({2, 3})); };
  expect(throws<ShapeError>(wrong), "the library's exception as what it is");
  expect(throws<Error>(wrong), "the library's exception as its base");

  Own own;
  const auto capturing = [&] { nn::capture(own, ones({3, 2})); };
  expect(throws<ValueError>(capturing), "the program's exception, through the library, as its base");
  const auto in_threads = [] { parallel_for(100, [](std::int64_t) { throw OwnError("own"); }); };
  expect(throws<OwnError>(in_threads), "the program's exception back from a thread of the library");

  const auto modules = own.named_modules();
  expect(dynamic_cast<Own*>(modules.at(0).second) == &own, "the program's class, from the library");
  expect(dynamic_cast<nn::Linear*>(modules.at(1).second) == &own.linear, "the library's class");
  expect(dynamic_cast<nn::Conv2d*>(modules.at(1).second) == nullptr, "no other class");
  std::cout << "types and exceptions cross\n";
}
