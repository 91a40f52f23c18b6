#!/bin/sh
# Makes .venv with the pinned, hashed requirements: `sh scripts/bootstrap.sh run|dev`.
# POSIX sh, and short Python that any version can read: what is missing is said in one sentence.
set -eu

cd "$(dirname "$0")/.."
kind=${1:-run}
case "$kind" in
  run) lock=requirements.txt ;;
  dev) lock=requirements-dev.txt ;;
  *) echo "usage: sh scripts/bootstrap.sh run|dev" >&2; exit 2 ;;
esac
venv=${ALGO_VENV:-.venv}
python="$venv/bin/python"
stamp="$venv/.installed-$kind"

say() { echo "$*" >&2; }
give_up() { say "$*"; exit 1; }
is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
is_venv() { "$1" -c 'import sys; sys.exit(sys.prefix == sys.base_prefix)' 2>/dev/null; }
version_of() { "$1" -c 'import sys; print(".".join(map(str, sys.version_info[:3])))' 2>/dev/null || echo unknown; }
sum_of() { "$python" -c 'import hashlib, sys; print(hashlib.sha256(b"".join(open(f, "rb").read() for f in sys.argv[1:])).hexdigest())' "$@"; }

find_python() {
  for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python3.14 python; do
    if command -v "$candidate" >/dev/null 2>&1 && is_new_enough "$candidate"; then
      command -v "$candidate"
      return
    fi
  done
}

remedy_for_python() {
  case "$(uname -s)" in
    Darwin) echo "install one by \`brew install python@3.12\` or from python.org, then run make again" ;;
    *) echo "install one by \`sudo apt install python3.11 python3.11-venv\` or your system's way, then run make again" ;;
  esac
}

make_venv() {
  base=$(find_python)
  if [ -z "$base" ]; then
    if command -v python3 >/dev/null 2>&1; then found="this machine has $(version_of python3)"; else found="this machine has none"; fi
    give_up "AlgoSystem needs Python 3.11 or newer and $found: $(remedy_for_python)."
  fi
  if ! "$base" -c 'import ensurepip, venv' 2>/dev/null; then
    short=$("$base" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    give_up "Python's venv module is missing for $base: install it by \`sudo apt install python$short-venv\`, then run make again."
  fi
  say "Making the environment in $venv with Python $(version_of "$base")."
  "$base" -m venv --clear "$venv"
}

install_lock() {
  say "Installing $lock (once; the next start takes seconds)."
  if "$python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt &&
    "$venv/bin/uv" pip install --quiet --python "$python" --require-hashes -r "$lock"; then
    return
  fi
  say "uv could not install; trying pip, which takes longer."
  "$python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock" ||
    give_up "The requirements could not be installed: see the lines above; a network connection is needed the first time."
}

# Nothing is ever installed into a Python that is not an environment of its own.
[ -x "$python" ] && is_new_enough "$python" && is_venv "$python" || make_venv
is_venv "$python" || give_up "$venv is not an environment of its own: remove it and run make again."
wanted=$(sum_of requirements-uv.txt "$lock")
if [ "$(cat "$stamp" 2>/dev/null || true)" != "$wanted" ]; then
  install_lock
  echo "$wanted" >"$stamp"
fi
