// SPDX-License-Identifier: MIT
#include <string>

#include "fuzz/checks.h"
#include "teff/engine/error.h"
#include "teff/serialize/io/json.h"

namespace teff::fuzz {
namespace {

constexpr int kMaxDepth = 8;

/// What the reader is asked for follows from `plan`, two bits a value.
void read_value(serialize::JsonReader& reader, std::uint64_t plan, int depth) {
  const std::uint64_t rest = plan >> 2;
  switch (depth == kMaxDepth ? 0 : plan & 3) {
    case 0: {
      const std::string text = reader.string();
      const std::string again = serialize::json_string(text);
      serialize::JsonReader second(again, 0);
      expect(second.string() == text, "a string that is written again comes back");
      second.finish();
      break;
    }
    case 1:
      reader.integer();
      break;
    case 2:
      reader.array([&] { read_value(reader, rest, depth + 1); });
      break;
    default:
      reader.object([&](const std::string&) { read_value(reader, rest, depth + 1); });
      break;
  }
}

}  // namespace

void run_safetensors(std::span<const std::byte> bytes) { check_dict(bytes, {}, FileFormat::safetensors); }

/// The first two bytes say what is asked for, the others are the text.
void run_json(std::span<const std::byte> bytes) {
  if (bytes.size() < 2) return;
  const auto plan = std::to_integer<std::uint64_t>(bytes[0]) | std::to_integer<std::uint64_t>(bytes[1]) << 8;
  serialize::JsonReader reader({reinterpret_cast<const char*>(bytes.data()) + 2, bytes.size() - 2}, 0);
  try {
    read_value(reader, plan, 0);
    reader.finish();
  } catch (const FormatError&) {
  }
}

}  // namespace teff::fuzz
