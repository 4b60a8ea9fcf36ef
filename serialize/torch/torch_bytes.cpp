// SPDX-License-Identifier: MIT

// Bytes of Python in their several forms.

#include "teff/serialize/torch/torch_guard.h"

namespace teff::serialize {
namespace {

bool is_latin1(std::string_view name) { return name == "latin1" || name == "latin-1"; }

}  // namespace

/// bytes, as protocol 2 writes them: _codecs.encode(text, 'latin1')
Value TorchValues::encoded(std::span<const NodeId> arguments) {
  if (arguments.size() != 2 || pickle_[arguments[0]].kind != NodeKind::text ||
      pickle_[arguments[1]].kind != NodeKind::text || !is_latin1(pickle_.text(arguments[1]))) {
    refuse("expected text and 'latin1', got something else");
  }
  const std::string_view text = pickle_.text(arguments[0]);
  count(text.size());
  Bytes bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0xc4) refuse("expected characters below 256, got another");
    if (byte >= 0xc2) byte = static_cast<unsigned char>(byte << 6 | (static_cast<unsigned char>(text[++i]) & 0x3f));
    bytes.push_back(std::byte{byte});
  }
  return bytes;
}

/// bytes(), bytearray(), bytearray(bytes), bytearray(text, 'latin-1')
Value TorchValues::byte_array(std::span<const NodeId> arguments) {
  if (arguments.empty()) return Bytes();
  return arguments.size() == 1 ? bytes_at(arguments[0]) : encoded(arguments);
}

/// Of Python 2's str, too, which may be text.
Bytes TorchValues::bytes_at(NodeId id) {
  const Node& node = pickle_[id];
  if (node.kind == NodeKind::bytes || node.kind == NodeKind::text) {
    count(node.c);
    const auto bytes = std::as_bytes(std::span(pickle_.text(id)));
    return Bytes(bytes.begin(), bytes.end());
  }
  if (node.kind == NodeKind::object && pickle_[node.a].kind == NodeKind::global) {
    const Known function = known(node.a);
    const Guard guard(*this, id);
    if (function == Known::encode) return encoded(items(node.b)).as_bytes();
    if (function == Known::bytes) return byte_array(items(node.b)).as_bytes();
  }
  refuse("expected bytes, got something else");
}

}  // namespace teff::serialize
