// SPDX-License-Identifier: MIT

// Every bit flipped, every truncation, and many random damages of small files, counted.
// Usage: teff_reliability_damage ROUNDS

#include <algorithm>
#include <cstdlib>
#include <random>
#include <sstream>

#include "reliability/files.h"
#include "reliability/report.h"

using namespace teff;
using namespace teff::reliability;

namespace {

struct Net : nn::Module {
  nn::Linear fc{2, 1};
  TEFF_MODULE(Net, fc)
  Tensor forward(const Tensor& x) override { return relu(fc(x)); }
};

struct Sample {
  std::string bytes;
  void (*load)(const std::string& bytes);
};

void load_dict(const std::string& bytes) { load(bytes_of(bytes)); }
void load_entire(const std::string& bytes) { load_model(bytes_of(bytes)); }

std::string saved(const Dict& dict) {
  std::ostringstream stream;
  save(dict, stream, {.metadata = {{"by", "test"}}});
  return stream.str();
}

/// Tensors, tied and without elements, text, lists, padding, metadata; nothing; a model.
std::vector<Sample> samples() {
  const Tensor weight = tensor<std::int32_t>({1, 2, 3});
  std::ostringstream model;
  Net net;
  save_model(net, ones({2, 2}), model);
  return {{saved({{"w", weight},
                  {"tied", weight},
                  {"mask", tensor<bool>({true, false, true})},
                  {"empty", zeros({0, 3})},
                  {"epoch", 5},
                  {"more", Dict{{"lr", 0.1}, {"name", "sgd"}, {"list", List{true, nullptr}}}}}),
           load_dict},
          {saved({}), load_dict},
          {model.str(), load_entire}};
}

bool is_refused(const Sample& sample, const std::string& bytes) {
  try {
    sample.load(bytes);
    return false;
  } catch (const FormatError&) {
    return true;
  }
}

std::string with_bit_flipped(std::string bytes, std::size_t bit) {
  bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
  return bytes;
}

void test_flips(const std::vector<Sample>& samples) {
  long refused = 0, flips = 0;
  for (const Sample& sample : samples) {
    for (std::size_t bit = 0; bit < 8 * sample.bytes.size(); ++bit) {
      ++flips;
      refused += is_refused(sample, with_bit_flipped(sample.bytes, bit)) ? 1 : 0;
    }
  }
  report("R1", ".teff: every single bit of a dictionary, an empty one, a model flipped",
         all("R1: flips", refused, flips, "refused"));
}

/// PyTorch's files hold bytes that mean nothing (padding, dates): a flip there may be accepted, but changes no value.
void test_torch_flips() {
  const Dict dict{
      {"w", tensor<std::int32_t>({1, 2, 3})}, {"mask", tensor<bool>({true, false})}, {"epoch", 5}, {"name", "sgd"}};
  std::ostringstream stream;
  save(dict, stream, {.format = FileFormat::pytorch});
  const std::string bytes = stream.str();
  long refused = 0, same = 0;
  const auto flips = static_cast<long>(8 * bytes.size());
  for (long bit = 0; bit < flips; ++bit) {
    try {
      same += load(bytes_of(with_bit_flipped(bytes, static_cast<std::size_t>(bit)))) == dict ? 1 : 0;
    } catch (const FormatError&) {
      ++refused;
    }
  }
  check(refused + same == flips, "R4: a flip is refused or changes no value");
  report("R4", ".pt: every single bit of a small file flipped",
         std::to_string(refused) + " of " + std::to_string(flips) + " refused, the others change no value");
}

void test_lengths(const std::vector<Sample>& samples) {
  long refused = 0, files = 0;
  const auto count = [&](const Sample& sample, const std::string& bytes) {
    ++files;
    refused += is_refused(sample, bytes) ? 1 : 0;
  };
  for (const Sample& sample : samples) {
    for (std::size_t size = 0; size < sample.bytes.size(); ++size) count(sample, sample.bytes.substr(0, size));
    for (int byte = 0; byte < 256; ++byte) count(sample, sample.bytes + static_cast<char>(byte));
    for (std::size_t zeros = 1; zeros < 4096; ++zeros) count(sample, sample.bytes + std::string(zeros, '\0'));
    count(sample, sample.bytes + sample.bytes);
  }
  report("R3", "every truncation, something appended, a doubled file", all("R3: lengths", refused, files, "refused"));
}

std::string damaged(const std::string& original, std::minstd_rand& random) {
  std::string bytes = original;
  const auto draw = [&](std::size_t below) { return static_cast<std::size_t>(random()) % below; };
  const std::size_t begin = draw(bytes.size()), size = 1 + draw(bytes.size() - begin);
  switch (draw(6)) {
    case 0:  // cut
      return bytes.erase(begin, size);
    case 1:  // swap
      std::swap_ranges(&bytes[begin], &bytes[begin] + size / 2, &bytes[begin] + (size + 1) / 2);
      return bytes;
    case 2:  // zero
      return bytes.replace(begin, size, size, '\0');
    case 3:  // repeat
      return bytes.insert(begin, original, begin, size);
    case 4:  // burst
      for (std::size_t i = 0; i < size; ++i) bytes[begin + i] = static_cast<char>(random());
      return bytes;
    default:  // a few bytes anywhere
      for (std::size_t i = draw(8) + 1; i > 0; --i) bytes[draw(bytes.size())] = static_cast<char>(random());
      return bytes;
  }
}

void test_random_damage(const std::vector<Sample>& samples, long rounds) {
  std::minstd_rand random(1);
  long refused = 0, files = 0;
  while (files < rounds) {
    const Sample& sample = samples[random() % samples.size()];
    const std::string bytes = damaged(sample.bytes, random);
    if (bytes == sample.bytes) continue;
    ++files;
    refused += is_refused(sample, bytes) ? 1 : 0;
  }
  report("R2", "cut, swapped, zeroed, repeated, overwritten at random places",
         all("R2: damage", refused, files, "refused"));
}

}  // namespace

int main(int argc, char** argv) {
  set_num_threads(1);
  manual_seed(0);
  const std::vector<Sample> all_samples = samples();
  for (const Sample& sample : all_samples) sample.load(sample.bytes);
  test_flips(all_samples);
  test_random_damage(all_samples, argc > 1 ? std::atol(argv[1]) : 10'000);
  test_lengths(all_samples);
  test_torch_flips();
  return failures == 0 ? 0 : 1;
}
