"""A price by hand that is a thousand times what the catalogues say, or a thousandth, is an error that says why."""

from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.test import Client

from ingestion.models import PriceEntry
from teams.models import Organization, User
from tests import make
from tests.ingestion.test_admin import ADD, price_form

pytestmark = pytest.mark.django_db
CATALOGUE = "catalogue:litellm@1"


@pytest.fixture
def errors(client: Client, finance: User, acme: Organization) -> Any:
    """Add an entry by hand, each from another minute on, and return the errors of its price."""
    client.force_login(finance)
    minutes = count()

    def errors_(price: str, **fields: str) -> list[str]:
        answer = client.post(ADD, price_form(acme, price=price, effective_from_1=f"00:{next(minutes):02}:00", **fields))
        if answer.status_code == 302:
            return []
        found: dict[str, list[str]] = answer.context["adminform"].form.errors
        assert set(found) == {"price"}
        return list(found["price"])

    return errors_


def listed(model: str, usd: str | None, **fields: Any) -> PriceEntry:
    return make.price(model, "input", usd, **({"source": CATALOGUE, "provider": "openai"} | fields))


def test_a_thousand_times_the_catalogue_is_the_border(errors: Any) -> None:
    listed("gpt-5", "0.15")
    assert errors("150") == []
    assert errors("150.000001") == [
        "150.000001 is more than 1,000 times the newest price of gpt-5 in litellm@1: 0.15 USD per 1M tokens. "
        "Is the price meant for another number of tokens?"
    ]
    assert PriceEntry.objects.filter(source="manual").count() == 1


def test_a_thousandth_of_the_catalogue_is_the_other_border(errors: Any) -> None:
    """A price per 1,000 tokens, and one per token with as many decimals as prices have."""
    listed("gpt-5", "2.5")
    for usd in ("0.0025", "0.000003"):
        assert errors(usd) == [
            f"{usd} is a thousandth or less of the newest price of gpt-5 in litellm@1: 2.5 USD per 1M tokens. "
            "Is the price meant for another number of tokens?"
        ]
    assert errors("0.002501") == []
    assert errors("0") == []
    assert errors("0.000001", model_match="unknown") == []


def test_without_a_catalogue_there_is_a_border_too(errors: Any) -> None:
    assert errors("10000") == []
    (reason,) = errors("1250000")
    assert reason.startswith("1,250,000 is more than 10,000 USD per 1M tokens, which no known model costs")
    (reason,) = errors("101", token_class="request")
    assert reason.startswith("101 is more than 100 USD per request")


def test_a_dear_model_of_a_catalogue_may_be_dear_by_hand(errors: Any) -> None:
    listed("gpt-5", "20")
    assert errors("20000") == []


def test_the_newest_price_of_the_same_class_and_model_counts(errors: Any, rival: Organization) -> None:
    listed("gpt-5", "0.01")
    listed("gpt-5", "1", effective_from=make.NOW)
    for other in ({"provider": "azure"}, {"source": "manual"}, {"organization": rival}):
        listed("gpt-5", "0.001", effective_from=make.NOW, **other)
    listed("gpt-5-mini", "0.001", effective_from=make.NOW)
    make.price("gpt-5", "output", "0.001", source=CATALOGUE, provider="openai", effective_from=make.NOW)
    listed("gpt-5", None, effective_from=make.NOW + timedelta(days=1))
    assert errors("1000") == []
    assert "newest price of gpt-5 in litellm@1: 1 USD" in errors("1000.1")[0]


def test_patterns_of_a_catalogue_speak_of_the_model(errors: Any) -> None:
    listed("gpt", "0.1", match_kind="prefix")
    assert "newest price of gpt in litellm@1" in errors("101")[0]
    assert errors("101", model_match="o3") == []
    assert errors("101", model_match="gpt", match_kind="prefix") != []
    assert errors("101", provider="azure") == []
    assert errors("101", provider="*") != []


def test_a_free_model_says_nothing_about_prices(errors: Any) -> None:
    listed("gpt-5", "0")
    assert errors("100") == []
    assert errors("") == []
    assert errors("0") == []
