// SPDX-License-Identifier: MIT
#pragma once

// Private: tensors (by their place in the table), values and dictionaries in the header of a .teff file.

#include "teff/engine/dict.h"
#include "teff/serialize/teff/archive.h"

namespace teff::serialize {

inline void save(HeaderWriter& archive, const Tensor& tensor) { archive.tensor(tensor); }
inline void load(HeaderReader& archive, Tensor& tensor) { tensor = archive.tensor(); }

void save(HeaderWriter& archive, const Value& value);
void load(HeaderReader& archive, Value& value);

void save(HeaderWriter& archive, const Dict& dict);
void load(HeaderReader& archive, Dict& dict);

template <class Archive>
void serialize(Archive& archive, TensorType& type) {
  archive(OneOf<DType>{type.dtype, DType::float32, kLastDType}, type.shape);
  if (type.dtype > DType::bfloat16) archive.use(kMoreDTypes);
}

void save(HeaderWriter& archive, const Shape& shape);
/// @throws FormatError for more than 8 dimensions, a negative size, or more bytes than a tensor can have.
void load(HeaderReader& archive, Shape& shape);

}  // namespace teff::serialize
