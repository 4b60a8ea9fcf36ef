#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs those of the given Debian packages that are missing, as root or with sudo; without either it names them and
# fails. Where there is no apt it names them all and goes on: the build tells what it does not find.
# Usage: sh install_packages.sh PACKAGE...
set -eu

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  echo "This system has no apt. What Debian calls by these names must be installed: $*"
  exit 0
fi

missing=
for package in "$@"; do
  if [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)" != "ii " ]; then
    missing="$missing $package"
  fi
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
  sudo=
elif command -v sudo >/dev/null; then
  sudo=sudo
else
  echo "Missing packages:$missing. Install them as root: apt-get install$missing" >&2
  exit 1
fi
echo "installing:$missing"
$sudo apt-get update -qq
# shellcheck disable=SC2086
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
