#!/bin/sh
# Prints the first Python 3.11 with pip that this machine has, or says what is missing.

for name in "${PYTHON:-}" python3.11 python3 python; do
    [ -n "$name" ] || continue
    path=$(command -v "$name" 2>/dev/null) || continue
    # A pyenv shim exists for versions that are not selected: only running it tells.
    if "$path" -c 'import sys, pip; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
        printf '%s\n' "$path"
        exit 0
    fi
done

for path in "$HOME"/.pyenv/versions/3.11*/bin/python; do
    [ -x "$path" ] && "$path" -c 'import pip' 2>/dev/null && printf '%s\n' "$path" && exit 0
done

cat >&2 <<'MESSAGE'
workcell needs Python 3.11 with pip, and found none (tried $PYTHON, python3.11, python3, python).
Debian 12, Ubuntu 22.04: apt-get install python3.11 python3.11-venv python3-pip; elsewhere, where
the system has another Python: pyenv, uv or https://www.python.org/downloads. Then: make
PYTHON=/path/to/python3.11
MESSAGE
exit 1
