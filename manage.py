#!/usr/bin/env python
"""Command line of the metrics portal."""

import os
import sys


def main() -> None:
    """Run the management command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "metricsportal.settings")
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - Django's own entry point

    from metricsportal.lib import border  # noqa: PLC0415 - as above

    border.open_process("an operator's command works for every organization")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
