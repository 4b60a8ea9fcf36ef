#!/bin/bash
# SPDX-License-Identifier: MIT
# completion.sh TEFF COMPLETION_FILE: what bash offers after words of a command line.
set -eu
teff=$1
source "$2"
failed=0

# offers EXPECTED WORD...: all of EXPECTED is among what is offered for the last word
offers() {
  local expected=$1 word
  shift
  COMP_WORDS=("$teff" "$@")
  COMP_CWORD=$#
  COMPREPLY=()
  _teff
  for word in $expected; do
    if [[ " ${COMPREPLY[*]} " != *" $word "* ]]; then
      echo "teff $*: expected $word, got ${COMPREPLY[*]}"
      failed=1
    fi
  done
  if [[ -z $expected && ${#COMPREPLY[@]} -gt 0 ]]; then
    echo "teff $*: expected nothing, got ${COMPREPLY[*]}"
    failed=1
  fi
}

offers "show verify convert diff graph embed salvage" ""
offers "show" s
offers "--version --help" --
offers "--json --skip-unsupported" show --
offers "--entry" convert a.teff --en
offers "float16 bfloat16" convert a.teff --dtype ""
offers "" show ""
offers "" convert --entry ""
exit $failed
