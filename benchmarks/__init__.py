"""The figures of docs/benchmarks.md: `make bench`, or `make bench ARGS="--requests 5000 --large 20000"` for a look."""
