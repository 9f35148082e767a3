"""Import requests from a file, through the same pipeline as HTTP."""

import gzip
import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from time import monotonic
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from ingestion.formats import FORMATS, MalformedError, UnsupportedError
from ingestion.imports import EXAMPLES, Progress, import_file
from ingestion.services import UnavailableError
from teams.models import Organization

_BAR: Final = 30  # characters
_UNREADABLE: Final = (OSError, gzip.BadGzipFile, EOFError, MalformedError, UnsupportedError, UnavailableError)


class Command(BaseCommand):
    """`import_requests FILE --organization SLUG`."""

    help = "Imports requests from a file or another product's export (also gzip). Importing again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """FILE, organization, format, unknown columns, JSON output."""
        parser.add_argument("file", type=Path, help="the file; .gz is recognised")
        parser.add_argument("--organization", required=True, metavar="SLUG", help="organization that gets the requests")
        parser.add_argument("--format", choices=("auto", *FORMATS), default="auto", help="default: by the content")
        parser.add_argument("--keep-unknown", action="store_true", help="keep columns without a field as metadata")
        parser.add_argument("--json", action="store_true", help="print the outcome counts as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import and print the counts. Raises CommandError for files that cannot be read to their end."""
        organization = Organization.objects.filter(slug=options["organization"]).first()
        if organization is None:
            known = ", ".join(Organization.objects.values_list("slug", flat=True)) or "none yet"
            raise CommandError(f"There is no organization “{options['organization']}”. There are: {known}.")
        path: Path = options["file"]
        started, progress = monotonic(), Progress()
        try:
            steps = import_file(
                path,
                organization=organization,
                format_name=options["format"],
                now=timezone.now(),
                keep_unknown=options["keep_unknown"],
            )
            for progress in steps:
                self._show(progress, path, monotonic() - started)
        except _UNREADABLE as error:
            raise CommandError(f"{path.name}: {error}{_so_far(progress)}") from error
        seconds = monotonic() - started
        self.stdout.write(json.dumps(_summary(progress, seconds)) if options["json"] else _text(progress, seconds))

    def _show(self, progress: Progress, path: Path, seconds: float) -> None:
        """A bar on a terminal, nothing elsewhere."""
        if not sys.stderr.isatty():
            return
        share = min(1.0, progress.position / max(1, path.stat().st_size))
        bar = ("█" * round(share * _BAR)).ljust(_BAR, "░")
        rate = progress.received / max(seconds, 0.001)
        self.stderr.write(f"\r{bar} {share:4.0%}  {progress.received:,} requests  {rate:,.0f}/s ", ending="")
        self.stderr.flush()


def _so_far(progress: Progress) -> str:
    return f" {progress.accepted:,} requests before it are stored; import again when it is mended." * bool(
        progress.accepted
    )


def _summary(progress: Progress, seconds: float) -> dict[str, Any]:
    return {
        "received": progress.received,
        "accepted": progress.accepted,
        "duplicate": progress.duplicate,
        "conflict": progress.conflict,
        "rejected": progress.rejected,
        "rejected_by_code": dict(progress.rejected_by_code),
        "rejections": [
            {"index": one.index, "code": one.code.value, "field": one.field, "message": one.message}
            for one in progress.examples
        ],
        "capped": progress.capped,
        "seconds": round(seconds, 3),
    }


def _text(progress: Progress, seconds: float) -> str:
    rate = f"{progress.received:,} requests in {seconds:,.1f} s ({progress.received / max(seconds, 0.001):,.0f}/s)"
    lines = ["" if not sys.stderr.isatty() else "\n", rate]
    for name in ("accepted", "duplicate", "conflict", "rejected"):
        lines.append(f"  {name:<10}{getattr(progress, name):>12,}")
    for one in progress.examples:
        lines.append(f"    record {one.index} [{one.code.value}] {one.message}")
    if progress.rejected > EXAMPLES:
        lines.append(f"    … and {progress.rejected - EXAMPLES:,} more: {dict(progress.rejected_by_code)}")
    if progress.capped:
        lines.append(f"  {progress.capped:,} new names beyond the hourly cap are stored as (other).")
    return "\n".join(lines).lstrip("\n")
