// SPDX-License-Identifier: MIT
#include <optional>
#include <unordered_set>

#include "teff/engine/error.h"
#include "teff/serialize/damages.h"
#include "teff/serialize/file.h"
#include "teff/serialize/formats.h"
#include "teff/serialize/io/about.h"
#include "teff/serialize/io/file_reader.h"
#include "teff/serialize/teff/teff_contents.h"

namespace teff {
namespace {

/// Leaves the damaged tensors out.
class Sieve {
 public:
  Sieve(const serialize::Contents& contents, const std::vector<serialize::Damage>& damages) : contents_(contents) {
    for (const serialize::Damage& damage : damages) {
      if (damage.storage) damaged_.insert(*damage.storage);
    }
  }

  Dict intact(const Dict& dict) const {
    Dict result;
    for (const auto& [key, value] : dict) {
      if (!is_damaged(value)) result.insert(key, intact(value));
    }
    return result;
  }

 private:
  bool is_damaged(const Value& value) const {
    return value.is_tensor() && damaged_.contains(contents_.place_of(value.as_tensor()).storage);
  }

  Value intact(const Value& value) const {
    if (value.is_dict()) return intact(value.as_dict());
    if (!value.is_list()) return value;
    List result;
    for (const Value& item : value.as_list()) result.push_back(is_damaged(item) ? Value() : intact(item));
    return result;
  }

  const serialize::Contents& contents_;
  std::unordered_set<std::size_t> damaged_;
};

Salvage salvage_from(const std::shared_ptr<const serialize::ByteSource>& source) {
  if (const serialize::Format& format = serialize::format_of(*source); format.id != FileFormat::teff) {
    throw FormatError("expected a .teff file, got one in the format of " + std::string(format.name));
  }
  const std::unique_ptr<const serialize::Contents> contents = serialize::open_teff(source, {}, false);
  const std::vector<serialize::Damage> damages = contents->check();
  const Dict& structure = contents->structure;
  const Dict& wanted = contents->model ? structure.at("state_dict").as_dict() : structure;
  const Dict intact = Sieve(*contents, damages).intact(wanted);
  return {serialize::read_value(*contents, intact).as_dict(), serialize::named(damages, *contents, source->size())};
}

}  // namespace

Salvage salvage(const std::string& path) {
  return serialize::about<FormatError>(
      "salvage", path, [&] { return salvage_from(std::make_shared<const serialize::FileReader>(path)); });
}

}  // namespace teff
