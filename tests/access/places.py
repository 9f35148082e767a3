"""How an address of the table is asked: the ids in its path, its parameters, and what is sent to it."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from tests import make
from tests.access.rules import administration
from tests.access.world import ABSENT, Things

# Which thing stands for a parameter: by address where it differs, else by its name.
_BY_NAME: Final = {one + "_id": one for one in ("upload", "export", "view", "annotation", "budget")}
_BY_ADDRESS: Final = {
    ("settings/people/<int:number>", "number"): "member",
    ("settings/people/invitations", "number"): "invitation",
    ("settings/teams/<int:number>", "number"): "team",
    ("settings/teams/<int:number>/people", "person"): "team_member",
    ("statements/recipients", "number"): "team",
    ("statements/recipients", "recipient"): "recipient",
    ("statements/mails", "mail"): "mail",
    ("statements/shared", "rule"): "sharing",
    ("settings/keys", "number"): "key",
    ("settings/callers", "number"): "gateway_user",
    ("settings/accounts", "number"): "account",
    ("ingestion/mapping", "number"): "rule",
    ("annotations/<int:number>", "number"): "annotation",
    ("bills/<int:number>", "number"): "bill",
    ("budgets/<int:number>", "number"): "budget",
    ("repricerun/<int:pk>", "pk"): "reprice",
    ("user/<id>", "id"): "user",
    ("/default/", "view_id"): "board",
}
_WORDS: Final = {
    "name": "team",
    "whom": "me",
    "month": "2026-10",
    "uidb64": "MQ",
    "token": "absent",
    "content_type_id": str(ABSENT),
}
_PATTERNS: Final = {
    "^(?P<app_label>teams|ingestion|analytics)/$": "teams/",
    "(?P<url>.*)$": "nowhere",
    r"^api/v1/[\s\S]*$": "api/v1/nowhere",
    "(home)": "",
}
RANGE: Final = "from=2026-10-01T00:00:00Z&to=2026-11-25T00:00:00Z"
_DAYS: Final = "start=2026-10-01T00:00:00Z&end=2026-11-25T00:00:00Z"
_KEPT: Final = _DAYS.replace("10-01", "10-17")  # by everybody: what no grain covers needs single requests
_QUESTION: Final = {
    "startTs": "2026-10-01T00:00:00Z",
    "endTs": "2026-11-25T00:00:00Z",
    "type": "distribution",
    "aggregations": [{"type": "count", "column": "failures"}],
    "groupBy": ["team", "modelName"],
}
_GROUPS: Final = "group_by=team,user,model,virtual_model,virtual_account"
# Parameters with which a list shows everything that the caller may see.
ASKED: Final[Mapping[str, tuple[str, ...]]] = {
    "o/<slug:slug>/": (RANGE + "&by=team", RANGE + "&by=user", RANGE + "&by=model"),
    "o/<slug:slug>/data": (RANGE + "&by=team", RANGE + "&by=virtual_account"),
    "o/<slug:slug>/overview/": ("month=2026-10",),
    "o/<slug:slug>/costs/": (RANGE,),
    "o/<slug:slug>/requests/": (RANGE,),
    "api/v1/requests": (_DAYS, f"{_DAYS}&format=csv"),
    "api/v1/report": (f"{_KEPT}&{_GROUPS}", f"{_KEPT}&{_GROUPS}&format=csv", f"{_DAYS}&group_by=team&format=xlsx"),
    "api/v1/focus": ("start_date=2026-10-01&end_date=2026-11-25&dimensions=virtual_account,virtual_model",),
    "api/v1/metrics/query": ("query=" + json.dumps(_QUESTION),),
    "api/v1/dimensions/<path:name>/values": ("q=", "q=e"),
}
# What would be answered with something else's, if an address looked beyond the organization.
PROBED: Final[Mapping[str, tuple[str, ...]]] = {
    "o/<slug:slug>/settings/teams/<int:number>/merge": ("into=Zebrafish+team", "into=Quokka+team"),
    "o/<slug:slug>/settings/callers/<int:number>/merge": ("into=Zebrafish+caller", "into=Quokka+caller"),
    "o/<slug:slug>/settings/accounts/<int:number>/merge": ("into=Zebrafish+account", "into=Quokka+account"),
    "o/<slug:slug>/costs/": (RANGE + "&team=Search",),
    "o/<slug:slug>/settings/audit": ("person=zebrafish.person@zebrafish.example",),
    "api/v1/report": tuple(
        _DAYS.replace("10-01", "07-01") + f"&group_by=team&filter={one}"
        for one in (
            "team:eq:Search",
            "virtual_model:contains:virtual",
            "user:contains:caller",
            "virtual_account:contains:a",
        )
    ),
}
# Addresses of the table with another word in the path than it is asked with.
ALSO: Final = ("o/<slug:slug>/statements/months/2026-11/",)
# What a request must hold to come further than the door.
SENT: Final[Mapping[str, Mapping[str, Any]]] = {
    "api/v1/metrics/query": _QUESTION,
    "api/v1/exports": {"of": "requests", "start": "2026-10-01T00:00:00Z", "end": "now", "format": "csv"},
    "api/v1/annotations": {"kind": "deploy", "at": make.NOW.isoformat(), "text": "release", "team": "Zebrafish team"},
}


def path_of(address: str, things: Things, slug: str | None = None) -> str:
    """The path of an address about the things of one side; `slug` of the organization, when it is another one."""
    for pattern, plain in _PATTERNS.items():
        address = address.replace(pattern, plain)

    def filled(found: re.Match[str]) -> str:
        name = found[1].rpartition(":")[2]
        if name == "slug":
            return slug or things.slug
        if name in _WORDS:
            return _WORDS[name]
        return _identity(address, name, things)

    return "/" + re.sub(r"<([^>]+)>", filled, address)


def _identity(address: str, name: str, things: Things) -> str:
    if name == "request_id":
        return str(things.number("request", "request_id"))
    if name == "number" and re.search(r"statements/<(slug|str):number>", address):
        return str(things.number("statement", "number"))
    if name == "object_id":
        return str(things.number(_administered(address)))
    if address.startswith("sign-in/sso/"):
        return str(things.number("provider", "address"))
    found = [thing for (place, parameter), thing in _BY_ADDRESS.items() if place in address and parameter == name]
    thing = found[-1] if found else _BY_NAME.get(name)
    if thing is None:
        raise LookupError(f"Say in tests/access/places.py which thing <{name}> of {address} is.")
    return str(things.number(thing))


def _administered(address: str) -> str:
    model = "/".join(address.split("/")[1:3])
    found = administration().get(model)
    return found.thing if found else "nothing"


def form(fields: Mapping[str, str]) -> dict[str, Any]:
    """Body and content type of a form."""
    return {"body": urlencode(fields).encode(), "content_type": "application/x-www-form-urlencoded"}
