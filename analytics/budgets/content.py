"""What somebody wants a budget to be, field by field, so that everything wrong is told at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from analytics.budgets.webhooks.addresses import WebhookRefusedError, check_address
from analytics.models import Budget
from analytics.query.values import InvalidQueryError, Problem

FIXED: Final = ("team", "dimension", "value", "unit", "every")
"""What a budget counts: said once."""
CHANGEABLE: Final = ("name", "amount", "thresholds", "forecast", "recipients", "webhook")
FIELDS: Final = ("name", *FIXED, *CHANGEABLE[1:])
MAX_NAME: Final = 120
MOST_AMOUNT: Final = Decimal(10) ** 12
MOST_THRESHOLD: Final = 1_000
MOST_THRESHOLDS: Final = 10
MOST_RECIPIENTS: Final = 20
UNITS: Final = tuple(Budget.Unit.values)
EVERY: Final = tuple(Budget.Every.values)


@dataclass(slots=True)
class Reader:
    """Reads one field after the other and collects problems; `unit` decides what an amount is."""

    sent: Mapping[str, object]
    unit: str = "usd"
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, name: str, message: str, code: str = "invalid_value", allowed: tuple[str, ...] = ()) -> None:
        """Note one problem."""
        self.problems.append(Problem((name,), code, message, allowed))

    def text(self, name: str, most: int) -> str:
        """A text of characters that can be seen; "" where there is none."""
        value = self.sent.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.wrong(name, f"{name} is a text.", "invalid_type")
            return ""
        value = value.strip()
        if len(value) > most or not value.isprintable():
            self.wrong(name, f"{name} has at most {most} characters, all of which can be seen.")
            return ""
        return value

    def name(self) -> str:
        """What the budget is called."""
        before = len(self.problems)
        text = self.text("name", MAX_NAME)
        if not text and len(self.problems) == before:
            self.wrong("name", f"A budget needs a name of 1 to {MAX_NAME} characters.", "required")
        return text

    def choice(self, name: str, allowed: tuple[str, ...]) -> str:
        """One of the allowed words, the first without any."""
        value = self.sent.get(name)
        if value is None:
            return allowed[0]
        if isinstance(value, str) and value in allowed:
            return value
        self.wrong(name, f"{name} is one of {', '.join(allowed)}.", "unknown_value", allowed)
        return allowed[0]

    def amount(self) -> Decimal:
        """More than nothing: dollars with cents, or whole tokens."""
        value = self.sent.get("amount")
        if value is None or value == "":
            self.wrong("amount", "A budget needs an amount.", "required")
            return Decimal(1)
        places = 2 if self.unit == Budget.Unit.USD else 0
        what = "US dollars with at most two decimals" if places else "a whole number of tokens"
        number = _number(value)
        if number is None or number != number.quantize(Decimal(1).scaleb(-places)):
            self.wrong("amount", f"The amount is {what}, such as {'5000 or 99.50' if places else '2000000'}.")
            return Decimal(1)
        if not 0 < number <= MOST_AMOUNT:
            self.wrong("amount", f"The amount is more than 0 and at most {MOST_AMOUNT:,}.", "out_of_range")
            return Decimal(1)
        return number

    def thresholds(self) -> list[int]:
        """Per cent of the amount, rising and each once."""
        value = self.sent.get("thresholds", [50, 80, 100])
        whole = isinstance(value, list) and all(isinstance(one, int) and not isinstance(one, bool) for one in value)
        if not whole or not isinstance(value, list):
            self.wrong("thresholds", "Thresholds are whole numbers of per cent, such as 50, 80 and 100.")
            return []
        if len({*value}) > MOST_THRESHOLDS or not all(1 <= one <= MOST_THRESHOLD for one in value):
            self.wrong(
                "thresholds",
                f"There are at most {MOST_THRESHOLDS} thresholds, each from 1 to {MOST_THRESHOLD:,} %.",
                "out_of_range",
            )
            return []
        return sorted({*value})

    def forecast(self) -> bool:
        """Whether the forecast is told."""
        value = self.sent.get("forecast", True)
        if isinstance(value, bool):
            return value
        self.wrong("forecast", "forecast is true or false.", "invalid_type")
        return True

    def recipients(self) -> list[str]:
        """E-mail addresses, in small letters and each once."""
        value = self.sent.get("recipients", [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self.wrong("recipients", "recipients is a list of e-mail addresses.", "invalid_type")
            return []
        found = list(dict.fromkeys(one.strip().lower() for one in value if one.strip()))
        if len(found) > MOST_RECIPIENTS:
            self.wrong("recipients", f"A budget has at most {MOST_RECIPIENTS} recipients.", "out_of_range")
        for one in found[:MOST_RECIPIENTS]:
            try:
                validate_email(one)
            except ValidationError:
                self.wrong("recipients", f"“{one[:80]}” is not an e-mail address.")
        return found

    def webhook(self) -> str:
        """The address that programs listen at; "" without one."""
        text = self.text("webhook", 500)
        if text:
            try:
                check_address(text)
            except WebhookRefusedError as error:
                self.wrong("webhook", str(error))
        return text

    def finish(self) -> None:
        """Raise InvalidQueryError when anything is wrong."""
        if self.problems:
            raise InvalidQueryError(self.problems)

    def changeable(self) -> dict[str, Any]:
        """All fields that may change."""
        return {name: getattr(self, name)() for name in CHANGEABLE}


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    try:
        number = Decimal(value.strip().replace(",", "") if isinstance(value, str) else value)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < Decimal(10) ** 20 else None
