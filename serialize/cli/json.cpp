// SPDX-License-Identifier: MIT
#include "teff/serialize/cli/json.h"

#include <ostream>

#include <nlohmann/json.hpp>

namespace teff::cli {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::none:
      return nullptr;
    case Value::Kind::boolean:
      return value.as_bool();
    case Value::Kind::integer:
      return value.as_int();
    case Value::Kind::floating:
      return value.as_float();
    case Value::Kind::text:
      return value.as_text();
    case Value::Kind::bytes:
      return Json{{"bytes", value.as_bytes().size()}};
    case Value::Kind::tensor:
      break;
    case Value::Kind::list: {
      Json list = Json::array();
      for (const Value& item : value.as_list()) list.push_back(to_json(item));
      return list;
    }
    case Value::Kind::dict: {
      // Not by operator[], which looks through all keys each time.
      Json::object_t object;
      for (const auto& [key, item] : value.as_dict()) object.push_back({key, to_json(item)});
      return object;
    }
  }
  const TensorType type = value.as_tensor().type();
  return Json{{"dtype", to_string(type.dtype)}, {"shape", std::vector(type.shape.begin(), type.shape.end())}};
}

}  // namespace

void print_json(std::ostream& out, const Value& value) {
  out << to_json(value).dump(2, ' ', true, Json::error_handler_t::replace) << '\n';
}

}  // namespace teff::cli
