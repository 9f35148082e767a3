"""The part of the page about requests on their way in: from a file, and over HTTP."""

from statistics import median
from typing import Final

from benchmarks.ingest import BATCH, SPANS, Ingested
from benchmarks.load import Loaded
from benchmarks.markdown import Bar, table, verdict

IMPORT_BAR: Final = 10_000  # requests per second
SEND_BAR: Final = 15_000  # requests per second
SHARE_BAR: Final = 0.45  # of COPY
REPEAT_BAR: Final = 2.0  # times as fast as the first time
SPANS_BAR: Final = 5_000  # spans per second
FLAT_BAR: Final = 20 * 2**20  # bytes
_MEBIBYTE: Final = 2**20


def bars_of_loading(loaded: Loaded) -> list[Bar]:
    """The import."""
    rate = loaded.accepted / loaded.imported
    return [(f"import at least {IMPORT_BAR:,} requests/s", f"{rate:,.0f} requests/s", verdict(rate >= IMPORT_BAR))]


def bars_of_sending(sent: Ingested) -> list[Bar]:
    """Records and spans over HTTP."""
    rate, share, repeat = median(sent.native), _share(sent), _repeat(sent)
    spans, grown = median(sent.spans), sent.peaks[-1] - sent.peaks[0]
    return [
        (f"records over HTTP at least {SEND_BAR:,}/s", f"{rate:,.0f}/s", verdict(rate >= SEND_BAR)),
        (f"at least {SHARE_BAR:.0%} of COPY of the same rows", f"{share:.0%}", verdict(share >= SHARE_BAR)),
        (
            f"a repeat of stored batches at least {REPEAT_BAR:.0f} times as fast",
            f"{repeat:.1f} times",
            verdict(repeat >= REPEAT_BAR),
        ),
        (f"OTLP protobuf at least {SPANS_BAR:,} spans/s", f"{spans:,.0f} spans/s", verdict(spans >= SPANS_BAR)),
        (
            f"a web worker's memory is flat over {sent.records:,} records (below {FLAT_BAR // _MEBIBYTE} MiB)",
            f"{grown / _MEBIBYTE:,.1f} MiB",
            verdict(grown < FLAT_BAR),
        ),
    ]


def _share(sent: Ingested) -> float:
    """Median over the rounds of the speed beside that of COPY in the same round."""
    return median(one / copied for one, copied in zip(sent.native, sent.copied, strict=True))


def _repeat(sent: Ingested) -> float:
    return median(again / one for again, one in zip(sent.repeated, sent.native, strict=True))


def sending_section(sent: Ingested) -> list[str]:
    """Round by round."""
    columns = (sent.native, sent.copied, sent.repeated, sent.spans)
    rows = [
        (str(number), *(f"{one:,.0f}" for one in figures), f"{peak / _MEBIBYTE:,.0f} MiB")
        for number, (*figures, peak) in enumerate(zip(*columns, sent.peaks, strict=True), 1)
    ]
    return [
        "## Records over HTTP",
        (
            f"{sent.records:,} records in rounds, `POST /api/v1/requests` in batches of {BATCH:,} on four connections "
            "to gunicorn (two workers, four threads each), every record looked up, priced and committed before the "
            "answer; the client, the server and PostgreSQL share the machine. Beside it COPY of the same rows, ready "
            "made, into a table with the same columns, indexes and rows, a transaction per batch; the same batches "
            f"sent again; and spans, `POST /v1/traces` with {SPANS} spans a body in protobuf. Per second."
        ),
        table(("round", "records", "COPY", "repeated", "spans", "largest worker"), rows),
    ]


def loading_section(loaded: Loaded) -> list[str]:
    """Step by step, beside COPY."""
    count = loaded.accepted
    rows = [
        ("generate to a file", loaded.generated, f"{loaded.file_bytes / 1e6:,.0f} MB of newline-delimited JSON"),
        ("`import_requests` of that file", loaded.imported, "decode, check, attribute, price, store; batches of 5,000"),
        ("COPY of the same rows", loaded.copied, "ready binary blocks, same table, indexes and transactions"),
        ("`rollup --drain`", loaded.rolled_up, loaded.rolled_up_text),
        ("`verify_rollups`", loaded.verified, f"{loaded.cells:,} cells recomputed from facts, no difference"),
    ]
    return [
        "## From file to aggregates",
        table(
            ("step", "seconds", "requests/s", ""),
            [(name, f"{seconds:,.1f}", f"{count / seconds:,.0f}", note) for name, seconds, note in rows],
        ),
        (
            f"The import runs at **{loaded.copied / loaded.imported:.0%}** of the speed of bare COPY. COPY gets its "
            "rows ready-made and does not ask whether a request is known, so 100 % cannot be reached. Sending a known "
            f"tenth again stores nothing and runs at {loaded.repeated:,.0f} requests/s, "
            f"{loaded.repeated / (count / loaded.imported):.1f} times as fast as the first time."
        ),
    ]
