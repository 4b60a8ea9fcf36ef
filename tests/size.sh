#!/bin/sh
# SPDX-License-Identifier: MIT
# size.sh STRIP PROGRAM CEILING: prints what the program weighs without symbols, and fails if that is more bytes.
set -eu
strip=$1 program=$2 ceiling=$3
"$strip" -o "$program.stripped" "$program"
bytes=$(wc -c <"$program.stripped")
echo "$program: $bytes bytes stripped, of at most $ceiling"
[ "$bytes" -le "$ceiling" ]
