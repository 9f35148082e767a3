"""Reads what a page says to people: its tables and its definition lists, as text."""

from html.parser import HTMLParser

_CELLS = {"th", "td", "dt", "dd"}


class _Reader(HTMLParser):
    """Collects the cells of tables by row, and terms with their first description."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.terms: list[tuple[str, list[str]]] = []
        self.cell: list[str] | None = None
        self.tag = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in _CELLS:
            self.cell, self.tag = [], tag

    def handle_data(self, data: str) -> None:
        if self.cell is not None:
            self.cell.append(data)

    def handle_endtag(self, tag: str) -> None:
        if self.cell is None or tag != self.tag:
            return
        text = " ".join("".join(self.cell).split())
        self.cell = None
        if tag == "dt":
            self.terms.append((text, []))
        elif tag == "dd" and self.terms:
            self.terms[-1][1].append(text)
        elif self.rows:
            self.rows[-1].append(text)


def _read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader


def rows(html: str) -> list[list[str]]:
    """Every row of every table, heads and feet included."""
    return _read(html).rows


def definitions(html: str) -> dict[str, str]:
    """Each term with its description; several descriptions of one term, a line each."""
    return {term: "\n".join(texts) for term, texts in _read(html).terms}
