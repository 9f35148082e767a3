"""Real SDKs against a running portal: `make test-clients`. Not part of `make test`, for it installs them."""
