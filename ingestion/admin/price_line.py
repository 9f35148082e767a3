"""The fields that say which requests a price is for, the same in every form of the price book."""

import re
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django import forms
from django.core.exceptions import ValidationError

from ingestion.models.prices import MatchKind, TokenClass
from ingestion.normalisation import provider_id
from ingestion.pricing.arithmetic import STANDARD
from ingestion.pricing.matching import ANY_PROVIDER
from ingestion.records import UNIT, is_token_class

_PROVIDER: Final = re.compile(r"[a-z0-9][a-z0-9._-]*")

if TYPE_CHECKING:
    Mixin = forms.BaseForm
else:
    Mixin = object


class LineFields(Mixin):
    """Names are stored as records are normalised, or they would never match."""

    operator: ClassVar[bool] = False

    def clean_organization(self) -> Any:
        """Only operators set prices for every organization."""
        organization = self.cleaned_data.get("organization")
        if organization is None and not self.operator:
            raise ValidationError("Choose an organization.")
        return organization

    def clean_provider(self) -> str:
        """The id under which records are stored."""
        provider = provider_id(self.cleaned_data["provider"].strip()) or ANY_PROVIDER
        if provider != ANY_PROVIDER and not _PROVIDER.fullmatch(provider):
            raise ValidationError("A provider id such as openai, or * for any.")
        return provider

    def clean_model_match(self) -> str:
        """Models are compared in lower case."""
        model: str = self.cleaned_data["model_match"].strip().lower()
        if not model.isprintable():
            raise ValidationError("The name of a model holds printable characters only.")
        return model

    def clean_service_tier(self) -> str:
        """Tiers are stored in lower case."""
        tier: str = self.cleaned_data["service_tier"].strip().lower()
        return tier or STANDARD

    def check_match(self, cleaned: dict[str, Any]) -> None:
        """A pattern needs the match kind that reads it."""
        has_pattern = bool(re.search(r"[*?]", cleaned.get("model_match", "")))
        if cleaned.get("match_kind") == MatchKind.GLOB and not has_pattern:
            self.add_error("model_match", "A pattern holds * or ?; without them choose “is exactly”.")
        elif cleaned.get("match_kind") != MatchKind.GLOB and has_pattern:
            self.add_error("model_match", "For * and ? choose “matches (* and ?)”.")

    def check_owner(self, cleaned: dict[str, Any]) -> None:
        """An override is of one team or of one account, and both belong to the organization."""
        organization = cleaned.get("organization")
        owners = {name: cleaned[name] for name in ("team", "virtual_account") if cleaned.get(name)}
        for name, owner in owners.items():
            if organization is None or owner.organization_id != organization.pk:
                self.add_error(name, "Choose one of the same organization.")
        if len(owners) > 1:
            self.add_error("virtual_account", "A price is for a team or for a virtual account, not for both.")


def class_of(text: str) -> str:
    """The token class of that name. Raises ValidationError that says which there are."""
    name = text.strip().lower()
    if is_token_class(name):
        return name
    raise ValidationError(
        f"There is no such class. The classes are {', '.join(TokenClass.values)}, and {UNIT}NAME for what is billed by "
        "the piece; NAME is 1 to 32 of a-z, 0-9 and underscore."
    )
