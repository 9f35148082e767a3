"""The form of an organization's single sign-on, and the lines in which it writes what groups grant."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.core.exceptions import ValidationError

from teams.services import Grant

if TYPE_CHECKING:
    from teams.models import Team

_LINE: Final = re.compile(
    r"(?P<group>.+?)\s*:\s*(?P<role>owner|admin|finance|member|(?P<in>manager|viewer) of (?P<team>.+))"
)


class ProviderForm(forms.Form):
    """What the provider and the portal know of each other."""

    issuer = forms.CharField(
        label="Issuer",
        max_length=500,
        widget=forms.URLInput(attrs={"autocomplete": "off", "placeholder": "https://login.company.com"}),
        help_text="The address by which the provider names itself. It is asked before anything is stored.",
    )
    client_id = forms.CharField(
        label="Client ID", max_length=256, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )
    secret = forms.CharField(
        label="Client secret",
        max_length=1000,
        required=False,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Never shown again. Leave it empty to keep the one that is stored.",
    )
    domains = forms.CharField(
        label="Domains",
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "placeholder": "company.com"}),
        help_text="Of your people's addresses, one a line. Once it is proven, its people are led to the provider.",
    )
    groups_claim = forms.CharField(
        label="Claim with groups (optional)",
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "placeholder": "groups"}),
    )
    grants = forms.CharField(
        label="What groups grant (optional)",
        max_length=100_000,
        required=False,
        widget=forms.Textarea(
            attrs={
                "rows": 4,
                "spellcheck": "false",
                "placeholder": "Portal admins: admin\nSearch leads: manager of Search",
            }
        ),
        help_text=(
            "One a line: the group, a colon, then owner, admin, finance, member, manager of TEAM or viewer of TEAM. "
            "Applied at each sign-in: what no group grants any more is taken away."
        ),
    )
    vouches = forms.BooleanField(
        label="The provider sends no email_verified (Entra ID): believe its addresses of these domains", required=False
    )

    def __init__(self, *args: Any, teams: Iterable["Team"], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._teams = {team.name: team for team in teams}

    def clean_issuer(self) -> str:
        """Without what people copy along."""
        return str(self.cleaned_data["issuer"]).removesuffix("/.well-known/openid-configuration")

    def clean_domains(self) -> list[str]:
        """The words of the field."""
        return re.split(r"[\s,;]+", self.cleaned_data["domains"].strip())

    def clean_grants(self) -> list[Grant]:
        """The lines of the field, each naming a role or a team."""
        lines = [line.strip() for line in self.cleaned_data["grants"].splitlines()]
        return [self._grant(line) for line in lines if line]

    def _grant(self, line: str) -> Grant:
        read = _LINE.fullmatch(line)
        if read is None or len(read["group"]) > 256:
            raise ValidationError("“%(line)s” is not a group, a colon and a role.", params={"line": line[:100]})
        if not read["in"]:
            return Grant(read["group"], read["role"])
        team = self._teams.get(read["team"])
        if team is None:
            raise ValidationError("There is no team called “%(team)s”.", params={"team": read["team"][:100]})
        return Grant(read["group"], read["in"], team)
