#!/usr/bin/env bash
# Installs what a build or the tests need and the machine does not have. Tools go to a cache of the user, each in a
# folder named by its version, so that nothing is installed twice and nothing is left in the checkout.
#
#   scripts/setup.sh build   the wasm target, trunk, wasm-bindgen, binaryen
#   scripts/setup.sh test    that, Chromium, nginx, and the packages of the browser tests
#   scripts/setup.sh bench   nginx and wrk
#   scripts/setup.sh path    prints the folders of the tools, for PATH
set -euo pipefail
cd "$(dirname "$0")/.."

cache="${KEYGATE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/keygate}"
tools="$cache/tools"

trunk=0.21.14
binaryen=132.0.0
# The library and the command must be of one version.
wasm_bindgen=$(awk '/^name = "wasm-bindgen"$/ { getline; gsub(/"/, "", $3); print $3; exit }' Cargo.lock)

say() { printf '• %s\n' "$*" >&2; }
fail() { printf '✗ %s\n' "$*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

prerequisites() {
  has cargo || fail 'Rust is missing. Install rustup from https://rustup.rs, then open a new shell.'
  has rustup || fail 'rustup is missing; it provides the WebAssembly target. Install it from https://rustup.rs.'
  has node || fail 'Node.js is missing. Install version 20 or later from https://nodejs.org or your package manager.'
  has npm || fail 'npm is missing. It comes with Node.js; on Debian, install the package npm.'
  local major
  major=$(node -p 'process.versions.node.split(".")[0]')
  [ "$major" -ge 20 ] || fail "Node.js $major is too old. Install version 20 or later from https://nodejs.org."
  has cc || fail 'A C compiler is missing; SQLite is built with it. On Debian: apt-get install build-essential.'
}

# cargo_tool NAME VERSION: builds a command from crates.io.
cargo_tool() {
  local home="$tools/$1-$2"
  [ -e "$home/done" ] && return
  say "Building $1 $2 (once; a few minutes)"
  CARGO_TARGET_DIR="$cache/build" cargo install --quiet --locked --root "$home" --version "$2" "$1"
  touch "$home/done"
}

# npm_tool NAME VERSION: installs a command from the npm registry.
npm_tool() {
  local home="$tools/$1-$2"
  [ -e "$home/done" ] && return
  say "Installing $1 $2"
  mkdir -p "$home"
  npm install --silent --no-audit --no-fund --prefix "$home" "$1@$2"
  touch "$home/done"
}

# debian COMMAND PACKAGES…: installs Debian packages when the command is not there.
debian() {
  local command=$1
  shift
  has "$command" && return
  has apt-get || fail "$command is missing. Install it with your package manager."
  local sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    has sudo || fail "$command is missing. As root: apt-get install $*"
    sudo=(sudo)
  fi
  say "Installing $*"
  "${sudo[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

build() {
  prerequisites
  # rust-toolchain.toml names the toolchain and the target; rustup installs both when they are missing.
  rustup show active-toolchain >/dev/null 2>&1 || rustup toolchain install >/dev/null
  if ! rustup target list --installed | grep -qx wasm32-unknown-unknown; then
    say 'Adding the WebAssembly target'
    rustup target add wasm32-unknown-unknown
  fi
  cargo_tool trunk "$trunk"
  cargo_tool wasm-bindgen-cli "$wasm_bindgen"
  npm_tool binaryen "$binaryen"
  rm -rf "$cache/build"
}

browser_tests() {
  debian "${CHROMIUM:-chromium}" chromium fonts-noto-core
  debian /usr/sbin/nginx nginx-light
  # The packages live in the cache; the checkout has a link to them.
  local lock home
  lock=$(sha256sum tests/e2e/package-lock.json | cut -c1-16)
  home="$tools/e2e-$lock"
  if [ ! -e "$home/done" ]; then
    say 'Installing the packages of the browser tests'
    mkdir -p "$home"
    cp tests/e2e/package.json tests/e2e/package-lock.json "$home"
    npm ci --silent --no-audit --no-fund --prefix "$home"
    touch "$home/done"
  fi
  [ -L tests/e2e/node_modules ] || rm -rf tests/e2e/node_modules
  ln -sfn "$home/node_modules" tests/e2e/node_modules
}

case "${1:-}" in
  build) build ;;
  test) build; browser_tests ;;
  bench) debian nginx nginx-light; debian wrk wrk ;;
  path)
    printf '%s' "$tools/trunk-$trunk/bin:$tools/wasm-bindgen-cli-$wasm_bindgen/bin:$tools/binaryen-$binaryen/node_modules/.bin"
    ;;
  *) fail 'usage: scripts/setup.sh build|test|bench|path' ;;
esac
