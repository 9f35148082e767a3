"""Reads files back with other people's readers, into rows that compare with those of the JSON answer."""

import csv
import io
import json
import re
from typing import Any

import openpyxl
import pyarrow.parquet as pq

from metricsportal.lib.money import to_picodollars, usd_text

Rows = list[dict[str, Any]]
_ESCAPE = re.compile("_x([0-9A-F]{4})_")


def csv_rows(content: bytes) -> list[dict[str, str]]:
    """Rows of texts."""
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def ndjson_rows(content: bytes) -> tuple[Rows, dict[str, Any]]:
    """Rows, and what the last line says."""
    *rows, end = (json.loads(line) for line in content.splitlines())
    return rows, end


def parquet_rows(content: bytes) -> tuple[Rows, dict[str, Any]]:
    """Rows with money as text, and the manifest."""
    file = pq.ParquetFile(io.BytesIO(content))
    money = {field.name for field in file.schema_arrow if str(field.type) == "decimal128(38, 12)"}
    rows = file.read().to_pylist()
    for row in rows:
        row.update({name: row[name] if row[name] is None else usd_text(to_picodollars(row[name])) for name in money})
    return rows, json.loads(file.metadata.metadata[b"metrics-portal.manifest"])


def xlsx_sheets(content: bytes) -> dict[str, list[list[Any]]]:
    """Values of every sheet; formulas raise."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    for sheet in book:
        for row in sheet.iter_rows():
            assert [cell.coordinate for cell in row if cell.data_type == "f"] == []
    return {sheet.title: [[_plain(one) for one in row] for row in sheet.iter_rows(values_only=True)] for sheet in book}


def xlsx_rows(content: bytes) -> tuple[Rows, dict[str, Any]]:
    """Rows with money as text from the column beside it, and the manifest's lines."""
    sheets = xlsx_sheets(content)
    lines = dict(sheets.pop("Manifest"))
    rows: Rows = []
    for header, *values in sheets.values():
        rows.extend(_exact(dict(zip(header, row, strict=True))) for row in values)
    return rows, lines


def _plain(value: Any) -> Any:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), value) if isinstance(value, str) else value


def _exact(row: dict[str, Any]) -> dict[str, Any]:
    """Replaces each amount by the exact text beside it, after comparing the two."""
    for name in [name for name in row if name.endswith("_exact")]:
        text, number = row.pop(name), row[name.removesuffix("_exact")]
        assert (text is None and number is None) or float(text) == number
        row[name.removesuffix("_exact")] = text
    return row
