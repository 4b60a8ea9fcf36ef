#!/bin/sh
# SPDX-License-Identifier: MIT
# check_includes.sh SOURCE_DIR PUBLIC_HEADER...: which folder may include what.
# File names have no spaces.
# shellcheck disable=SC2046,SC2086,SC2013
cd "$1" || exit 1
shift
failed=0

# refuse MESSAGE PATTERN FILE...: no file has a line of that pattern
refuse() {
  message=$1 pattern=$2
  shift 2
  found=$(grep -nE "$pattern" "$@" /dev/null)
  if [ -n "$found" ]; then
    echo "$message:"
    echo "$found"
    failed=1
  fi
}

sources() {
  find "$@" \( -name '*.h' -o -name '*.cpp' \) | sort
}

include='^ *# *include *[<"]'
all=$(sources engine nn serialize)
no_kernels=$(sources engine nn serialize | grep -v -e '^engine/kernels/' -e '^engine/eigen\.h$')

refuse "engine/ knows nothing of nn/ and serialize/" "${include}teff/(nn|serialize)/" $(sources engine)
refuse "nn/ knows nothing of serialize/" "${include}teff/serialize/" $(sources nn)
refuse "only kernels and eigen.h include Eigen" "${include}(Eigen|unsupported)/" $no_kernels
refuse "only sources of serialize/ and cereal.h include cereal" "${include}cereal/" $(sources engine nn)
refuse "includes are written \"teff/...\"" "${include}\.\.?/" $all
refuse "the library (not its command) does not use the umbrella header" "${include}teff/(teff|engine/engine|nn/nn)\.h" \
  $(sources engine nn serialize | grep '\.cpp$' | grep -v '^serialize/cli/')

# Public headers include no private ones: what they include is installed. A shared library exports what they declare.
public="$* export.h"
for header in "$@"; do
  refuse "a public header opens the namespace with TEFF_EXPORT" '^namespace teff' "$header"
  [ "$header" = serialize/cereal.h ] || refuse "only cereal.h includes cereal" "${include}cereal/" "$header"
  for name in $(sed -n 's,^ *# *include *[<"]teff/\([^">]*\)[">].*,\1,p' "$header"); do
    case " $public " in
      *" $name "*) ;;
      *)
        echo "$header is public and includes $name, which is not"
        failed=1
        ;;
    esac
  done
done
exit $failed
