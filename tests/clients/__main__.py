"""Run the clients and compare: `make test-clients`, `make test-clients ARGS="openlit langfuse"`.

`-v` also prints what a client said, and its rows.
"""

import argparse
import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tests.clients import compare, install, portal
from tests.clients.catalog import CLIENTS, Client
from tests.clients.upstream import Served, Upstream

_SECONDS: Final = 180


def say(text: str) -> None:
    """Print at once."""
    print(text, flush=True)  # noqa: T201 - a command's answer


def run(client: Client, here: portal.Portal, upstream: Upstream, *, talk: bool) -> tuple[list[Served], list[Any]]:
    """Books of the upstream and rows of the portal of one run."""
    folder = (install.node if client.node else install.python)(client.folder or client.name, client.packages)
    key = here.key_of(client.name)
    basic = base64.b64encode(f"portal:{key}".encode()).decode()
    words = {"portal": here.address, "key": key, "basic": basic, "upstream": upstream.address}
    environment = {name: value.format(**words) for name, value in client.environment.items()}
    command = [_place(folder, part) for part in client.command]
    environment = _bare(folder, upstream) | environment
    answer = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if talk or answer.returncode:
        say(answer.stdout)
    rows = here.rows_of(client.name)
    if talk:
        say("\n".join(json.dumps({key: value for key, value in row.items() if value is not None}) for row in rows))
    if answer.returncode:
        raise RuntimeError(f"{client.name} ended with {answer.returncode}")
    return upstream.take(), rows


def _place(folder: Path, part: str) -> str:
    """Commands and Node's scripts lie in the client's folder, Python's scripts beside this file."""
    if part.startswith("bin/") or part.endswith(".mjs"):
        return str(folder / part)
    return str(install.SCRIPTS / part) if part.endswith(".py") else part


def _bare(folder: Path, upstream: Upstream) -> dict[str, str]:
    """An environment in which nothing but OpenAI's SDK is configured."""
    path = os.pathsep.join([str(folder / "bin"), os.environ["PATH"]])
    local = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost", "HOME": str(folder)}
    return {"PATH": path, "OPENAI_BASE_URL": upstream.address, "OPENAI_API_KEY": "sk-upstream", **local}


def main(arguments: Sequence[str]) -> int:
    """Returns 1 when a client ran badly or the portal disagrees with the upstream."""
    parser = argparse.ArgumentParser(prog="make test-clients", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="CLIENT", help="Default: " + " ".join(one.name for one in CLIENTS))
    parser.add_argument("-v", "--verbose", action="store_true")
    chosen = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped
    columns, bad = {}, False
    with portal.running() as here, Upstream() as upstream:
        for client in CLIENTS:
            if chosen.names and client.name not in chosen.names:
                continue
            say(f"==> {client.name}")
            try:
                books, rows = run(client, here, upstream, talk=chosen.verbose)
            except (RuntimeError, subprocess.SubprocessError) as error:
                say(f"    could not run: {error}")
                upstream.take()
                bad = True
                continue
            ours, theirs = compare.deviations(client, books, rows)
            for heading, lines in (("known of the client", theirs), ("WRONG", ours)):
                say("".join(f"    {heading}: {line}\n" for line in lines).rstrip() or f"    {heading}: nothing")
            columns[client.name] = {"rows": f"{len(rows)} of {len(books)}", **compare.filled(rows)}
            bad = bad or bool(ours)
    say("\n" + compare.table(columns))
    return int(bad)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
