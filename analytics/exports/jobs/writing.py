"""The file of a job, and the manifest beside it: there when they are whole, not before."""

import hashlib
import json
import os
from dataclasses import dataclass

from analytics.exports import formats, manifest
from analytics.exports.jobs import folder
from analytics.exports.table import Table
from analytics.models import ExportJob


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a table: rows, bytes, SHA-256 of the file."""

    rows: int
    size: int
    sha256: str


def write(job: ExportJob, table: Table) -> Written:
    """Write file and manifest. Raises OSError."""
    path = folder.path_of(job.pk, folder.FILE)
    unfinished = path.with_suffix(".new")
    digest = hashlib.sha256()
    with folder.opened(unfinished, anew=True) as file:
        for piece in formats.pieces(table, job.format):
            file.write(piece)
            digest.update(piece)
        file.flush()
        os.fsync(file.fileno())
        size = file.tell()
    described = manifest.whole(table) | {
        "file": {"name": job.name, "format": job.format, "bytes": size, "sha256": digest.hexdigest()}
    }
    folder.replace(folder.path_of(job.pk, folder.MANIFEST), json.dumps(described, indent=1).encode())
    unfinished.replace(path)
    return Written(table.written, size, digest.hexdigest())
