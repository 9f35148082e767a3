"""LiteLLM's price file: one JSON object, model -> US dollars per token. It has no dates. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from ingestion.normalisation import provider_id
from ingestion.pricing.arithmetic import REQUEST, STANDARD
from ingestion.pricing.catalogues.base import Catalogue, Key, Point, UnreadableError, part
from ingestion.pricing.matching import ANY_PROVIDER
from ingestion.pricing.plausibility import scaled

NAME: Final = "litellm"
CLASSES: Final = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
    "input_cost_per_audio_token": "audio_input",
    "output_cost_per_audio_token": "audio_output",
    "input_cost_per_image_token": "image_input",
    "output_cost_per_image_token": "image_output",
    "output_cost_per_reasoning_token": "reasoning",
    "input_cost_per_request": REQUEST,
}
TIERS: Final = {"_batches": "batch", "_flex": "flex", "_priority": "priority"}
# Prices that depend on what no line of the book can say: with the plain ones alone a cost would be wrong, not unknown.
INEXPRESSIBLE: Final = {
    "tiered_pricing": "is priced by a table of tiers, which is not supported",
    "off_peak_pricing": "is priced by the time of day, which is not supported",
}
_EXAMPLE: Final = "sample_spec"  # describes the fields, and prices nothing
_BASES: Final = "|".join(sorted(CLASSES, key=len, reverse=True))
_FIELD: Final = re.compile(rf"({_BASES})((?:_above_\d{{1,9}}k?_tokens|{'|'.join(TIERS)})*)", re.ASCII)
_SUFFIX: Final = re.compile(rf"_above_(\d+)(k?)_tokens|({'|'.join(TIERS)})", re.ASCII)
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d{1,4})?", re.ASCII)
# LiteLLM names some providers after the interface or the family of models behind them.
_ALIASES: Final = {"bedrock_converse": "aws", "azure_text": "azure", "cohere_chat": "cohere"}
_FAMILIES: Final = (("vertex_ai", "google-vertex"), ("text-completion-openai", "openai"))

Part = tuple[str, str, int]
"""Token class, service tier, context limit."""


def read(content: bytes, *, name: str = NAME, version: str) -> Catalogue:
    """The catalogue in a file. Raises UnreadableError for what is no such file."""
    try:
        # Never through a float: 1.5e-07 is a text of the file, and the price is exact.
        document = json.loads(content, parse_float=Decimal, parse_int=Decimal, parse_constant=_refused)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise UnreadableError(f"This is not JSON: {error}") from error
    if not isinstance(document, dict) or not any(isinstance(model, dict) for model in document.values()):
        raise UnreadableError("LiteLLM's price file is one JSON object that holds an object for every model.")
    found = Catalogue(name, version)
    for model, fields in document.items():
        if model == _EXAMPLE:
            continue
        if isinstance(fields, dict):
            _model(found, model, fields)
        else:
            found.skip(model, "is not an object")
    return found


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no price")


def _model(found: Catalogue, model: str, fields: Mapping[str, Any]) -> None:
    provider, match = _named(model, fields.get("litellm_provider"))
    found.ignored.update(field for field in fields if _is_unread_price(field))
    reason = next((why for field, why in INEXPRESSIBLE.items() if fields.get(field)), None)
    for (token_class, tier, context), value in _with_every_tier(dict(_parts(fields))).items():
        key = Key(provider, "exact", match, token_class, tier, context)
        price, what = _price(value, token_class), f"{model}: {part(key)}"
        if reason:
            found.skip(model, reason, [key])
        elif price is None:
            found.skip(what, "is not a number", [key])
        else:
            found.propose(what, key, [Point(None, price)])


def _named(model: str, provider: object) -> tuple[str, str]:
    """Provider and model as records are normalised: LiteLLM writes most models behind their provider."""
    if not isinstance(provider, str) or not provider:
        return ANY_PROVIDER, model.lower()
    known = _provider(provider)
    head, slash, rest = model.partition("/")
    if slash and rest and (head == provider or _provider(head) == known):
        model = rest
    return known, model.lower()


def _provider(name: str) -> str:
    family = next((known for start, known in _FAMILIES if name.startswith(start)), None)
    return family or _ALIASES.get(name) or provider_id(name)


def _is_unread_price(field: str) -> bool:
    return bool(re.search("cost|pric", field)) and not _FIELD.fullmatch(field) and field not in INEXPRESSIBLE


def _parts(fields: Mapping[str, Any]) -> Iterator[tuple[Part, Any]]:
    for field, value in fields.items():
        named = _FIELD.fullmatch(field)
        if named is None or value is None:
            continue
        tier, context = STANDARD, 0
        for limit, thousands, suffix in _SUFFIX.findall(named[2]):
            if suffix:
                tier = TIERS[suffix]
            else:
                context = int(limit) * (1_000 if thousands else 1)
        yield (CLASSES[named[1]], tier, context), value


def _with_every_tier(parts: dict[Part, Any]) -> dict[Part, Any]:
    """A service tier that has no price above a limit has the standard one there, as LiteLLM counts it.

    Without it the tier's base price would hold for long contexts too, because the tier goes before the context.
    """
    filled = dict(parts)
    for token_class, tier, context in parts:
        if tier == STANDARD or context:
            continue
        for (other, standard, limit), value in parts.items():
            if (other, standard) == (token_class, STANDARD) and limit:
                filled.setdefault((token_class, tier, limit), value)
    return filled


def _price(value: object, token_class: str) -> Decimal | None:
    """USD per million tokens, or per request."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = Decimal(value)
    if not isinstance(value, Decimal):
        return None
    return value if token_class == REQUEST else scaled(value, 6)
