"""The figures of docs/benchmarks.md: `make bench`, or `make bench ARGS="--requests 50000"` for a quick look."""
