"""Private PostgreSQL, Redis and browser for the tests, from what the machine has or from the package index."""
