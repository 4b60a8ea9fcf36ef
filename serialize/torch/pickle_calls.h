// SPDX-License-Identifier: MIT
#pragma once

// Private: the part of the pickle machine that is about classes, functions, and what is made of them.

#include <optional>

#include "teff/serialize/torch/pickle_stack.h"

namespace teff::serialize {

class PickleCalls : protected PickleStack {
 protected:
  using PickleStack::PickleStack;

  std::optional<NodeKind> container_class(NodeId callee) const;
  void call(const char* what);
  /// The class, its arguments, and arguments by name, which become the last of them.
  void call_with_keywords();
  /// The class and its arguments behind a mark.
  void call_marked();
  /// copyreg._reconstructor(class, base, content), which protocol 1 has instead of NEWOBJ.
  bool push_reconstructed(NodeId callee, NodeId arguments);
  /// A set, or a deque, of nothing or of another container.
  void push_copy(NodeKind kind, NodeId arguments);
  /// OrderedDict(), of pairs in Python 2's files, Counter(a dict), or defaultdict(what makes its values).
  void push_dict(NodeId callee, NodeId arguments);
  /// Attributes of an OrderedDict (such as _metadata) are read and dropped.
  void build();
};

}  // namespace teff::serialize
