#!/bin/sh
# SPDX-License-Identifier: MIT
# docs_links.sh SOURCE_DIR: what the Markdown files of the project point to exists. That is relative links, with the
# headings that they name, and files in backticks that are named by a path, from the root or from the page's folder.
set -eu
cd "$1"
failures=0 links=0
found=$(mktemp)
trap 'rm -f "$found"' EXIT

fail() {
  echo "$1: $2"
  failures=$((failures + 1))
}

# A page without its blocks of code.
prose() { awk '/^ *```/ { inside = !inside; next } !inside && !/^    [^ ]/' "$1"; }

# Its headings as they stand behind a '#': lower case, hyphens for spaces, no signs; or what {#...} says.
anchors() {
  prose "$1" | sed -n 's/^##* *//p' | sed 's/ *{#.*}//' | tr 'A-Z ' 'a-z-' | sed 's/[^a-z0-9_-]//g'
  prose "$1" | sed -n 's/^#.*{#\([^}]*\)}.*/\1/p'
}

# check_link PAGE LINK
check_link() {
  path=${2%%#*}
  target=$1
  [ -z "$path" ] || target=$(dirname "$1")/$path
  if [ ! -e "$target" ]; then
    fail "$1" "expected the file of the link $2, got none"
  elif [ "$path" != "$2" ] && ! anchors "$target" | grep -qxF -e "${2#*#}"; then
    fail "$1" "expected the heading of the link $2, got none"
  fi
}

for page in $(find . -name '*.md' ! -path './*build*/*' ! -path './.git/*' | sed 's,^\./,,' | sort); do
  prose "$page" | sed 's/`[^`]*`/code/g' | grep -oE '\]\([^) ]+\)' | sed 's/^](//; s/)$//' >"$found" || true
  while read -r link; do
    case $link in
      http://* | https://*) ;;
      *) links=$((links + 1)) && check_link "$page" "$link" ;;
    esac
  done <"$found"

  prose "$page" | grep -oE '`[A-Za-z0-9_.-]+/[A-Za-z0-9_./-]*`' | tr -d '`' >"$found" || true
  while read -r path; do
    case $path in
      build/* | teff/*) ;;  # made by CMake
      engine/* | nn/* | serialize/* | tests/* | bench/* | examples/* | docs/* | cmake/* | *.h | *.cpp | *.md | *.sh | *.py)
        [ -e "$path" ] || [ -e "$(dirname "$page")/$path" ] || fail "$page" "expected the file $path, got none"
        ;;
    esac
  done <"$found"
done
[ "$links" -ge 20 ] || fail "$1" "expected 20 links or more, got $links"
echo "$links links, $failures faults"
[ "$failures" -eq 0 ]
