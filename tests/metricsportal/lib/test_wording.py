"""Text of others in headers of mails."""

import pytest

from metricsportal.lib.wording import one_line


@pytest.mark.parametrize(
    ("text", "line"),
    [("a\r\nb", "a b"), ("a\tb\x00c", "a b c"), ("  a   b ", "a b"), ("a\u2028b", "a b"), ("Ünï", "Ünï"), ("\n", "")],
)
def test_one_line(text: str, line: str) -> None:
    assert one_line(text) == line
