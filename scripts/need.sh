#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# need.sh TOOL...: makes sure that tools are there. On Debian and Ubuntu it installs
# what is missing with apt-get, elsewhere it says what to install. Known tools: go,
# node, npm, chromium, fonts.
set -euo pipefail

have() {
  case $1 in
    chromium) command -v chromium || command -v chromium-browser || command -v google-chrome ;;
    # Without the families of Arabic script the pages' screenshots hold empty boxes.
    fonts) [ -d /usr/share/fonts/truetype/noto ] || fc-list 2>/dev/null | grep -qi 'noto' || [ "$(uname)" = Darwin ] ;;
    *) command -v "$1" ;;
  esac >/dev/null 2>&1
}

packages=() missing=()
for tool in "$@"; do
  if have "$tool"; then continue; fi
  case $tool in
    go) missing+=("go 1.26 or newer (https://go.dev/dl)") ;;
    node) missing+=("node 20 or newer") packages+=(nodejs) ;;
    npm) missing+=(npm) packages+=(npm) ;;
    chromium) missing+=(chromium) packages+=(chromium) ;;
    fonts) missing+=("the Noto fonts") packages+=(fonts-noto-core) ;;
    *) echo "need.sh: $tool is unknown" >&2; exit 2 ;;
  esac
done
[ ${#missing[@]} -gt 0 ] || exit 0

list=$(printf '%s, ' "${missing[@]}")
list=${list%, }
# The Go of Debian is too old, so it is not installed from there.
if ! command -v apt-get >/dev/null 2>&1 || { [[ " $* " == *" go "* ]] && ! have go; }; then
  echo "missing: $list; install it with your system's package manager and run make again" >&2
  exit 1
fi

sudo=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null 2>&1; then
    echo "missing: $list; as root: apt-get install ${packages[*]}" >&2
    exit 1
  fi
  sudo=(sudo)
fi
echo "missing: $list; running ${sudo[*]:+sudo }apt-get install ${packages[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
"${sudo[@]}" apt-get update -qq
"${sudo[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
