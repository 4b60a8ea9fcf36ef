// SPDX-License-Identifier: MIT

// docs/operators.md is made of the tables. To make it anew:
//   TEFF_WRITE_PAGES=1 teff_tests --source-file='*operators_page_test*'

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "teff/engine/op_registry.h"
#include "teff/serialize/operators/aten.h"
#include "teff/serialize/operators/aten_export.h"
#include "teff/serialize/operators/export_call.h"
#include "teff/serialize/operators/operator_call.h"

using namespace teff;

namespace {

constexpr const char* kOperatorsPage = TEFF_TESTS_DIR "/../docs/operators.md";

void print_outgoing(std::ostream& out) {
  out << "| operation of Teff | in ONNX | remarks | in TorchScript | remarks |\n|---|---|---|---|---|\n";
  for (const std::string& name : registered_ops()) {
    const serialize::ExportRow* row = serialize::find_export(name);
    const serialize::AtenExport* aten = serialize::find_aten_export(name);
    if (row == nullptr || aten == nullptr) continue;  // of a test
    out << "| `" << name << "` | " << (row->is_declined() ? "-" : row->onnx) << " | " << row->note << " | "
        << (aten->is_declined() ? "-" : aten->operators()) << " | " << aten->note << " |\n";
  }
}

void print_incoming(std::ostream& out) {
  namespace tables = serialize::operators;
  std::map<std::string_view, std::string> names;
  for (const auto* table : {&tables::pointwise, &tables::constants, &tables::shapes, &tables::reductions,
                            &tables::images, &tables::pooling, &tables::norms, &tables::indexing, &tables::resizing,
                            &tables::losses, &tables::logic, &tables::gathering, &tables::recurrent}) {
    for (const serialize::OperatorRow& row : *table) names[row.name];
  }
  names["If"] = " (on a constant)";
  std::string line;
  for (const auto& [name, remark] : names) line += (line.empty() ? "" : ", ") + std::string(name) + remark;
  out << line << ".\n";
}

void print_aten(std::ostream& out) {
  const std::vector<std::string_view> rows = serialize::aten_operator_names();
  std::string line;
  for (const std::string_view name : std::set(rows.begin(), rows.end())) {
    line += (line.empty() ? "" : ", ") + std::string(name);
  }
  out << line << ".\n";
}

std::string operators_page() {
  std::ostringstream out;
  out << "# Operators\n\n"
         "Made of the tables in `serialize/operators/`; a test holds it to them.\n\n"
         "## From Teff to ONNX and TorchScript\n\n"
         "What `save_model(net, x, \"net.onnx\")` and `teff convert model.teff model.onnx` write, in version 17 of "
         "ONNX's operators, and the same with `net.pt`, in operators that PyTorch 1.13 and all later ones have. A "
         "network with an operation that has a dash here is refused by its name.\n\n";
  print_outgoing(out);
  out << "\n## From ONNX to Teff\n\n"
         "What `load_model(\"net.onnx\")` takes, in versions 1 to 22 as far as each has them:\n\n";
  print_incoming(out);
  out << "\n## From TorchScript and torch.export to Teff\n\n"
         "ATen's operators that `load_model(\"net.pt\")` takes, in place, too, as far as Teff has their options; what "
         "the code of an archive does with numbers, texts and lists is no operator. Programs of torch.export "
         "(`load_model(\"net.pt2\")`) have the same:\n\n";
  print_aten(out);
  return out.str();
}

}  // namespace

TEST_CASE("the page of operators says what the tables do") {
  const std::string page = operators_page();
  if (std::getenv("TEFF_WRITE_PAGES") != nullptr) std::ofstream(kOperatorsPage, std::ios::binary) << page;
  std::ifstream file(kOperatorsPage, std::ios::binary);
  const std::string written{std::istreambuf_iterator<char>(file), {}};
  CHECK(written == page);
}
