#!/bin/sh
# Writes the lock files from their .in files: newest versions allowed there, hashes of every platform's files.
# A machine's own package configuration is left out, so that the locks hold on every machine.
set -eu
cd "$(dirname "$0")/.."
unset PIP_FIND_LINKS PIP_INDEX_URL PIP_EXTRA_INDEX_URL UV_INDEX UV_DEFAULT_INDEX UV_INDEX_URL UV_EXTRA_INDEX_URL UV_FIND_LINKS || :
lock() {
  .venv/bin/uv pip compile --no-config --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
    --no-emit-index-url --annotation-style line --custom-compile-command "make lock" "$@"
}
lock requirements.in --output-file requirements.txt
lock requirements-dev.in --constraint requirements.txt --output-file requirements-dev.txt
lock requirements-services.in --constraint requirements.txt --output-file requirements-services.txt
lock requirements-node.in --output-file requirements-node.txt
lock requirements-prices.in --constraint requirements.txt --output-file requirements-prices.txt
lock requirements-exports.in --constraint requirements.txt --output-file requirements-exports.txt
lock requirements-pdf.in --constraint requirements.txt --output-file requirements-pdf.txt
lock requirements-bench.in --constraint requirements.txt --output-file requirements-bench.txt
