#!/bin/sh
# SPDX-License-Identifier: MIT
# Draws the graph of a model: graphviz.sh COMMAND MODEL. Skipped (77) without Graphviz.
set -eu
if ! command -v dot >/dev/null; then
  echo "Graphviz is not installed (Debian: graphviz)"
  exit 77
fi
for option in '' --parameters; do
  # shellcheck disable=SC2086
  "$1" graph $option "$2" | dot -Tsvg | grep -q '>conv2d<' || { echo "the picture shows no conv2d"; exit 1; }
done
