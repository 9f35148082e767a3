"""The simple parameters of the request list, as a filter set over the requests of the scope."""

from datetime import datetime

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from analytics.api.checks import Checks
from analytics.query.parsing import parse_instant
from analytics.query.values import InvalidQueryError


class InstantField(forms.Field):
    """An ISO 8601 instant with an offset, or `now-7d`."""

    def to_python(self, value: object) -> datetime | None:
        """The instant; raises ValidationError."""
        if not value:
            return None
        try:
            return parse_instant(str(value), timezone.now(), ())
        except InvalidQueryError as error:
            raise ValidationError(error.problems[0].message, code=error.problems[0].code) from None


class InstantFilter(django_filters.Filter):
    """Compares a column with an instant."""

    field_class = InstantField


class RequestFilter(django_filters.FilterSet):
    """Half-open range of `started_at`."""

    start = InstantFilter(field_name="started_at", lookup_expr="gte", label="First instant, inclusive.")
    end = InstantFilter(field_name="started_at", lookup_expr="lt", label="Last instant, exclusive.")

    def note_errors(self, checks: Checks) -> None:
        """Add what is wrong with the parameters to the problems of the question."""
        for name, errors in self.errors.as_data().items():
            for error in errors:
                checks.add((name,), error.code or "invalid_instant", error.messages[0])

    def value(self, name: str) -> datetime | None:
        """The checked instant of a parameter."""
        found: datetime | None = self.form.cleaned_data.get(name)
        return found
