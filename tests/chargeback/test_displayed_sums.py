"""What people can add up: the lines of a statement as page, e-mail and file show them are its total, always."""

import csv
import io
import re
from collections.abc import Iterator
from decimal import Decimal
from html import unescape
from types import SimpleNamespace
from typing import Final

import pytest
from django.template.loader import render_to_string
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from analytics.chargeback import reading
from analytics.chargeback.document import Document, digest, to_json
from analytics.chargeback.mail import message_of
from analytics.chargeback.presentation import cost_text, shown, sum_of_charges
from analytics.chargeback.usage import Amounts
from analytics.models import OutboxMail, Statement
from tests.chargeback.test_presentation import document

MANY: Final = 10_000
FEW: Final = 300
PATIENT: Final = [HealthCheck.too_slow, HealthCheck.data_too_large]

COSTS = st.one_of(
    st.integers(-(10**13), 10**13),
    st.integers(-(2**62), 2**62),
    st.integers(-300, 300).map(lambda half: half * 5 * 10**9),  # halves of a cent: ties everywhere
    st.sampled_from([0, 0, 1, -1, 10**14 - 1, 10**14, 33_333_333_333_333]),
)
COUNTS = st.integers(0, 3)
USED = st.builds(
    lambda cost, priced, unpriced: Amounts(priced + unpriced, 0, 0, 0, abs(cost), unpriced, priced),
    COSTS,
    COUNTS,
    COUNTS,
)
CORRECTED = st.builds(
    lambda cost, priced, unpriced: Amounts(priced + unpriced, 0, 0, 0, cost, unpriced, priced),
    COSTS,
    st.integers(-3, 3),
    st.integers(-3, 3),
)
STATEMENTS = st.builds(
    lambda used, corrected, shared: document(*used, adjustments=tuple(corrected), shared=tuple(shared)),
    st.lists(USED, max_size=8),
    st.lists(CORRECTED, max_size=4),
    st.lists(COSTS, max_size=3),
)


def dollars(text: str) -> Decimal:
    """The amount that a person reads; no figure adds nothing."""
    found = re.fullmatch(r"(?:at least )?(-?)\$([\d,]+\.\d{2,12})", text)
    assert found or text == "no price", text
    return Decimal(found[1] + found[2].replace(",", "")) if found else Decimal(0)


def cells(html: str, tag: str = "td") -> list[str]:
    return [
        unescape(re.sub(r"<[^>]*>", "", cell)).strip() for cell in re.findall(rf"<{tag}[^>]*>(.*?)</{tag}>", html, re.S)
    ]


def of_page(paper: Document) -> tuple[list[str], list[str]]:
    """Costs of the lines, and every place that tells the total, in the page."""
    organization = SimpleNamespace(slug=paper.slug, name=paper.organization)
    context = {"organization": organization, "statement": shown(paper, "d" * 64), "mails": ()}
    html = render_to_string("analytics/statements/detail.html", context)
    table, _, foot = html.partition("<table")[2].partition("<tfoot>")
    return cells(table)[4::5], [cells(foot)[4], cells(html, "dd")[0]]


def of_mail(paper: Document) -> Iterator[tuple[list[str], list[str]]]:
    """The same in the parts of the e-mail."""
    value = to_json(paper)
    statement = Statement(document=value, digest=digest(value), number=paper.number)
    message = message_of(OutboxMail(statement=statement, recipient="boss@acme.example", message_id="<1@portal>"))
    text, totals = str(message.body), [message.subject.rpartition("October 2026, ")[2]]
    totals += re.findall(r"^Cost +(.+)$", text, re.M)
    lines = re.findall(r"^  .*?(?:model-\d+|50 %): (.+?)(?:, -?[\d,]+ requests?)?$", text, re.M)
    yield lines, totals
    html = str(message.alternatives[0][0])
    *lines, total = cells(html)[2::3]
    yield lines, [total, cells(html, "p")[1]]
    ((_, file, _),) = message.attachments
    yield of_file(file.decode("utf-8-sig") if isinstance(file, bytes) else str(file))


def of_file(content: str) -> tuple[list[str], list[str]]:
    """The file, in the words of the others."""
    rows = list(csv.DictReader(io.StringIO(content.removeprefix("\ufeff"), newline="")))
    costs = [f"${row['cost_usd']}".replace("$-", "-$") if row["cost_usd"] else "no price" for row in rows]
    return costs[:-1], costs[-1:]


def check(paper: Document) -> None:
    """Every line is shown in each, and they add up to what is said to be the total, wherever that is said."""
    found = [of_page(paper), *of_mail(paper)]
    assert len(found) == 4
    for lines, totals in found:
        assert len(lines) == len(paper.shown_lines)
        assert [sum(map(dollars, lines))] * len(totals) == list(map(dollars, totals))
    assert len({tuple(map(dollars, lines)) for lines, _ in found}) == 1, "page, mail and file differ"
    assert len({dollars(total) for _, totals in found for total in totals}) == 1


@pytest.mark.django_db
@hypothesis_settings(max_examples=FEW, deadline=None, suppress_health_check=PATIENT)
@given(STATEMENTS)
def test_a_few_statements_add_up(paper: Document) -> None:
    check(paper)


@pytest.mark.slow
@pytest.mark.django_db
@hypothesis_settings(max_examples=MANY, deadline=None, suppress_health_check=PATIENT)
@given(STATEMENTS)
def test_ten_thousand_statements_add_up(paper: Document) -> None:
    check(paper)


@hypothesis_settings(max_examples=FEW, deadline=None)
@given(st.lists(COSTS, max_size=20))
def test_the_statements_of_a_month_add_up(costs: list[int]) -> None:
    """Each statement rounds by its own size; the month says the sum of what they say."""
    charged = [reading.charged(Statement(cost=cost)) for cost in costs]
    texts = [cost_text(Amounts(cost=cost), amount) for cost, amount in zip(costs, charged, strict=True)]
    month = cost_text(Amounts(cost=sum(costs)), sum_of_charges(charged))
    assert sum(map(dollars, texts)) == (Decimal(0) if month == "$0" else dollars(month))
