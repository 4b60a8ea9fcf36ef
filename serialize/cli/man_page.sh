#!/bin/sh
# SPDX-License-Identifier: MIT
# man_page.sh TEFF [FILE]: the man page of the command, made of what --help prints.
set -eu
teff=$1
[ $# -lt 2 ] || exec >"$2"
version=$("$teff" --version)

# As roff takes it: no line begins with a dot or an apostrophe that is not meant, and what is a minus stays one.
escaped() {
  sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^\([.']\)/\\\\\&\1/"
}
# verbs: their names
verbs() {
  "$teff" --help | sed -n '/^Subcommands:/,/^$/s/^  \([a-z-][a-z-]*\) .*/\1/p'
}
# As it stands.
verbatim() {
  printf '.nf\n'
  escaped
  printf '.fi\n'
}

printf '.TH TEFF 1 "" "%s" "User commands"\n' "$version"
printf '.SH NAME\nteff \\- %s\n' "$("$teff" --help | sed -n '1{s/^L/l/;s/\.$//;p;}' | escaped)"
printf '.SH SYNOPSIS\n.B teff\n.I COMMAND\n[\n.I OPTION\n\\&...]\n.I FILE\n\\&...\n'
printf '.SH DESCRIPTION\n'
"$teff" --help | sed -n '/^Exit codes/,$p' | escaped
printf '.SH COMMANDS\n'
for verb in $(verbs); do
  printf '.SS %s\n' "$verb"
  "$teff" "$verb" --help | sed -n '1p' | escaped
  printf '.PP\n'
  "$teff" "$verb" --help | sed '1d' | verbatim
done
