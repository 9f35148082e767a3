"""Usage objects as providers send them, priced by their published lists: what an invoice says, to the picodollar.

Prices are US dollars per million tokens as the providers' pages listed them in 2025 (openai.com/api/pricing,
platform.claude.com pricing, ai.google.dev/gemini-api/docs/pricing, aws.amazon.com/bedrock/pricing, openrouter.ai); they
are fixtures and need not be current. The lines of every case and their total were worked out by hand.
"""

from decimal import Decimal
from typing import Final

import pytest

from ingestion import usage
from ingestion.pricing.arithmetic import per_unit
from metricsportal.lib.money import usd_text
from tests.ingestion.invoices import anthropic, google, openai, others
from tests.ingestion.invoices.bill import Bill
from tests.ingestion.test_arithmetic import entries, of_usage, settled

BILLS: Final = (*openai.BILLS, *anthropic.BILLS, *google.BILLS, *others.BILLS)


@pytest.mark.parametrize("bill", BILLS, ids=[bill.name for bill in BILLS])
def test_the_cost_is_that_of_the_invoice(bill: Bill) -> None:
    lines = [tokens * Decimal(price) / 1_000_000 for tokens, price in bill.lines]
    pieces = [count * Decimal(usd) for _, count, usd in bill.units]
    by_hand = sum(lines + pieces, Decimal(bill.fee))
    assert by_hand == Decimal(bill.total), "the lines of the example"
    book = entries(bill.prices)
    for tier, limit, prices in bill.tiers:
        book += entries(prices, service_tier=tier, context_above=limit)
    found = settled(of_usage(bill.usage, **bill.fields), book)
    assert usage.units(bill.usage) == {name: count for name, count, _ in bill.units}
    by_piece = sum(count * per_unit(Decimal(usd)) for _, count, usd in bill.units)
    assert found.cost is not None
    assert usd_text(found.cost + by_piece) == bill.total
    assert found.list_cost == found.cost
