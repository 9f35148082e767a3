"""Runs a command with DATABASE_URL and REDIS_URL of private servers: `python -m tests.harness COMMAND ...`."""

import os
import signal
import subprocess
import sys

from tests.harness import postgresql, redis


def main() -> int:
    """Run the command given on the command line; returns its exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped
    # Durable settings: what is measured here must be what an operator gets.
    with postgresql.cluster("fsync=on") as database_url, redis.server() as redis_url:
        production = {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
        secrets = {"SECRET_KEY": "only-for-a-private-throw-away-server", "ALLOWED_HOSTS": "localhost,127.0.0.1"}
        return subprocess.run(sys.argv[1:], env=secrets | os.environ | production, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
