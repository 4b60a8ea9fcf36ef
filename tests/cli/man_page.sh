#!/bin/sh
# SPDX-License-Identifier: MIT
# man_page.sh TEFF SCRIPT: the man page has each verb, and man finds nothing wrong with it.
set -eu
teff=$1 script=$2
page=$(sh "$script" "$teff")
for word in '.TH TEFF 1' '.SH NAME' '.SH SYNOPSIS' '.SH DESCRIPTION' '.SS show' '.SS verify' '.SS convert' '\-\-skip\-unsupported'; do
  printf '%s\n' "$page" | grep -qF -e "$word" || { echo "the man page has no $word"; exit 1; }
done
command -v groff >/dev/null || exit 0
warnings=$(printf '%s\n' "$page" | groff -man -Tutf8 -rLL=130n -ww -z 2>&1)
[ -z "$warnings" ] || { echo "$warnings"; exit 1; }
