// SPDX-License-Identifier: MIT
#include <sstream>
#include <string>

#include "fuzz/checks.h"
#include "teff/engine/error.h"
#include "teff/serialize/io/byte_sink.h"
#include "teff/serialize/io/zip_writer.h"
#include "teff/serialize/save_load.h"
#include "teff/serialize/torch/pickle_machine.h"

namespace teff::fuzz {
namespace {

using serialize::NodeKind;

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

/// Everything that can be asked of a pickle.
void visit(const serialize::Pickle& pickle) {
  for (serialize::NodeId id = 0; id < pickle.num_nodes(); ++id) {
    switch (pickle[id].kind) {
      case NodeKind::integer:
        static_cast<void>(pickle.integer(id));
        break;
      case NodeKind::floating:
        static_cast<void>(pickle.floating(id));
        break;
      case NodeKind::text:
      case NodeKind::bytes:
      case NodeKind::long_integer:
        static_cast<void>(std::string(pickle.text(id)));
        break;
      case NodeKind::global:
        static_cast<void>(pickle.global(id));
        break;
      case NodeKind::tuple:
      case NodeKind::list:
      case NodeKind::set:
      case NodeKind::dict:
        for (const serialize::NodeId item : pickle.items(id)) expect(item < pickle.num_nodes(), "items are nodes");
        break;
      default:
        break;
    }
  }
}

/// A file of torch.save with this pickle and a few storages.
std::string zip_with(std::span<const std::byte> pickle) {
  const std::string storage(64, '\1');
  std::ostringstream stream;
  serialize::StreamSink sink(stream);
  serialize::ZipWriter zip(sink, "a");
  zip.add("data.pkl", pickle);
  for (const char* key : {"data/0", "data/1", "data/2"}) zip.add(key, bytes_of(storage));
  zip.add("version", bytes_of("3\n"));
  zip.finish();
  return stream.str();
}

}  // namespace

/// A zip, or a chain of pickles and storages: values, and the network that a whole module is.
void run_torch(std::span<const std::byte> bytes) {
  for (const bool inert : {false, true}) check_dict(bytes, {.inert_objects = inert}, FileFormat::pytorch);
  try {
    static_cast<void>(load(bytes, {.skip = {"w", "x[0]"}, .skip_unsupported = true}));
  } catch (const FormatError&) {
  }
  check_network(bytes);
}

/// The bytes as a pickle, alone and in a file.
void run_pickle(std::span<const std::byte> bytes) {
  const std::string zip = zip_with(bytes);
  try {
    visit(serialize::Pickle(bytes, 0));
  } catch (const FormatError&) {
  }
  for (const bool inert : {false, true}) {
    check_dict(bytes_of(zip), {.inert_objects = inert}, FileFormat::pytorch);
  }
  check_network(bytes_of(zip));
}

}  // namespace teff::fuzz
