"""The pieces of XML of which an XLSX file is made (ECMA-376, SpreadsheetML)."""

import re
from collections.abc import Sequence
from typing import Final

_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_KIND: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
CONTENT_TYPE: Final = f"{_KIND}.sheet"

_SHEET: Final = f'{_HEAD}<worksheet xmlns="{_MAIN}">'
_FROZEN: Final = (
    '<sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
    "</sheetView></sheetViews>"
)
SHEET_START: Final = f"{_SHEET}<sheetData>".encode()
SHEET_START_FROZEN: Final = f"{_SHEET}{_FROZEN}<sheetData>".encode()
"""With the first row always in view."""
SHEET_END: Final = b"</sheetData></worksheet>"

# Cells begin behind their reference: `<c r="A1"` + one of these.
EMPTY: Final = "/>"
MOST_CHARACTERS: Final = 32_767  # of a cell, counted in UTF-16
_CUT: Final = "… (cut: a cell of a spreadsheet holds no more; the other formats have it whole)"
_UNWRITABLE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
"""What XML cannot hold or changes (a lone CR), and what would be read as the escape of it."""


def text_cell(text: str, *, bold: bool = False) -> str:
    """A cell whose value is this text, whatever it looks like."""
    style = ' s="1"' if bold else ""
    return f'{style} t="inlineStr"><is><t xml:space="preserve">{_escaped(_fitting(text))}</t></is></c>'


def number_cell(number: str) -> str:
    """A cell whose value is this number, in any notation of XML's doubles."""
    return f"><v>{number}</v></c>"


def flag_cell(flag: bool) -> str:
    """A cell that is true or false."""
    return f' t="b"><v>{int(flag)}</v></c>'


def _fitting(text: str) -> str:
    """The text, or, when a cell cannot hold it, as much as fits with a note that says so."""
    if len(text.encode("utf-16-le")) // 2 <= MOST_CHARACTERS:
        return text
    room = 2 * (MOST_CHARACTERS - len(_CUT))
    return text.encode("utf-16-le")[:room].decode("utf-16-le", "ignore") + _CUT


def _escaped(text: str) -> str:
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _UNWRITABLE.sub(lambda found: f"_x{ord(found[0]):04X}_", safe)


def letters(number: int) -> str:
    """The letters of a column: 0 -> A, 26 -> AA."""
    found = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        found = chr(ord("A") + rest) + found
    return found


def sheet_path(number: int) -> str:
    """Where the sheet of that number, from 1 on, lies in the archive."""
    return f"xl/worksheets/sheet{number}.xml"


def frame(names: Sequence[str]) -> dict[str, bytes]:
    """Everything but the sheets, by its path. The names are ours: they need no escape."""
    numbers = range(1, len(names) + 1)
    sheets = "".join(
        f'<sheet name="{name}" sheetId="{number}" r:id="rId{number}"/>'
        for number, name in zip(numbers, names, strict=True)
    )
    related = "".join(_relation(number, "worksheet", f"worksheets/sheet{number}.xml") for number in numbers)
    styles = _relation(len(names) + 1, "styles", "styles.xml")
    types = "".join(_override(f"/{sheet_path(number)}", "worksheet") for number in numbers)
    found = {
        "xl/workbook.xml": (
            f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>{sheets}</sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": _related(related + styles),
        "xl/styles.xml": _STYLES,
        "_rels/.rels": _related(_relation(1, "officeDocument", "xl/workbook.xml")),
        "[Content_Types].xml": (
            f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f"{_override('/xl/workbook.xml', 'sheet.main')}{_override('/xl/styles.xml', 'styles')}{types}</Types>"
        ),
    }
    return {path: text.encode() for path, text in found.items()}


def _override(path: str, kind: str) -> str:
    return f'<Override PartName="{path}" ContentType="{_KIND}.{kind}+xml"/>'


def _relation(number: int, kind: str, target: str) -> str:
    return f'<Relationship Id="rId{number}" Type="{_RELATIONS}/{kind}" Target="{target}"/>'


def _related(relations: str) -> str:
    return f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{relations}</Relationships>'


_STYLES: Final = (
    f'{_HEAD}<styleSheet xmlns="{_MAIN}">'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)
