"""The administration of one organization finds nothing of another: every registered model, asked in every way (A7)."""

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.db.models import ForeignKey, Model
from django.test import RequestFactory

from teams.admin.borders import path_to_organization
from teams.models import User
from tests.access.asking import NOTED
from tests.access.places import form
from tests.access.rules import administration
from tests.access.visitors import Visitors, leaks
from tests.access.world import RIVAL

pytestmark = [pytest.mark.django_db, pytest.mark.once, pytest.mark.usefixtures("many_questions")]
PART: Final = RIVAL[1:-1]  # finds what is named so; a page that repeats it tells nothing


def label(model: type[Model]) -> str:
    return f"{model._meta.app_label}/{model._meta.model_name}"


REGISTERED: Final = {label(model): model for model in admin.site._registry}


def path_of(model: type[Model]) -> str:
    found = path_to_organization(admin.site, model)
    return "" if found == "pk" else f"{found}__"


def hostile(model: type[Model]) -> Iterator[str]:
    """Conditions on what no list filter offers: each would tell a letter at a time what a hidden field holds."""
    to = path_of(model)
    yield f"{to}name__startswith={RIVAL[0]}"
    yield f"{to}memberships__user__password__startswith=p"
    yield f"{to}api_keys__digest__startswith=a"
    for field in model._meta.fields:
        if isinstance(field, ForeignKey) and field.related_model is User:
            yield f"{field.name}__password__startswith=p"
            yield f"{field.name}__email__contains=a"
        elif isinstance(field, ForeignKey) and field.name != to.partition("__")[0]:
            yield f"{field.name}__pk__startswith=1"
    yield "_connector=OR"


def test_every_model_is_asked() -> None:
    assert set(REGISTERED) == set(administration())


@pytest.mark.parametrize("name", administration())
def test_lists_and_searches_find_the_own(visitors: Visitors, name: str) -> None:
    prefix = f"/admin/{name}/"
    for query in (f"q={PART}", "q=e", "e=1", "all=", "o=-1.2", "_popup=1&_to_field=id", "p=99"):
        answer = visitors.ask("owner", "GET", f"{prefix}?{query}")
        assert answer.status in (200, 302), query
        assert leaks("owner", prefix, answer.said) == [], query


@pytest.mark.parametrize("name", administration())
def test_conditions_that_no_filter_offers_are_refused(visitors: Visitors, name: str) -> None:
    for query in hostile(REGISTERED[name]):
        answer = visitors.ask("owner", "GET", f"/admin/{name}/?{query}")
        if answer.status == 200:  # a page of its own, which knows no such parameter
            assert name == "ingestion/priceentry"
            assert answer.body == visitors.ask("owner", "GET", f"/admin/{name}/?x=y").body, query
        else:
            assert answer.status in (302, 400), query
        assert leaks("owner", "/admin/", answer.said) == [], query


@pytest.mark.parametrize("name", administration())
def test_filters_by_what_is_not_ones_own_find_nothing(visitors: Visitors, name: str) -> None:
    """Also by a row of the other organization that a filter could name."""
    theirs = visitors.world.sides["foreign"].rows
    by_model = {type(row): row for row in theirs.values() if isinstance(row, Model)}
    model = REGISTERED[name]
    for item in admin.site._registry[model].list_filter:
        if isinstance(item, str) and isinstance(field := model._meta.get_field(item), ForeignKey):
            row = by_model.get(field.related_model)
            answer = visitors.ask("owner", "GET", f"/admin/{name}/?{item}__id__exact={row.pk if row else 0}")
            assert leaks("owner", "/admin/", answer.said) == [], item
            assert answer.status in (200, 302)


@pytest.mark.parametrize("name", administration())
def test_no_page_of_another_row_by_another_field(visitors: Visitors, name: str) -> None:
    theirs: Any = visitors.world.sides["foreign"][administration()[name].thing]
    for page in ("change", "delete", "history"):
        for query in ("_to_field=id", "_to_field=organization", "_popup=1", "_changelist_filters=q%3D"):
            answer = visitors.ask("owner", "GET", f"/admin/{name}/{theirs.pk}/{page}/?{query}")
            assert answer.status in (302, 400, 403, 404), (page, query)
            assert leaks("owner", "/admin/", answer.said) == []


@pytest.mark.parametrize("name", administration())
def test_suggestions_are_the_own(visitors: Visitors, name: str) -> None:
    app, _, model = name.partition("/")
    for field in REGISTERED[name]._meta.fields:
        if isinstance(field, ForeignKey):
            for term in ("", PART):
                asked = {"app_label": app, "model_name": model, "field_name": field.name, "term": term}
                answer = visitors.ask("owner", "GET", f"/admin/autocomplete/?{urlencode(asked)}")
                assert answer.status in (200, 403, 404), field.name  # 404: nothing is suggested there
                assert leaks("owner", "/admin/", answer.said) == [], field.name


@pytest.mark.parametrize("name", administration())
def test_actions_change_nothing_of_others(visitors: Visitors, name: str) -> None:
    theirs: Any = visitors.world.sides["foreign"][administration()[name].thing]
    request = RequestFactory().get("/")
    request.user = User.objects.get(pk=visitors.world.people["owner"].pk)
    offered = admin.site._registry[REGISTERED[name]].get_actions(request)
    for action in {"delete_selected", *offered}:
        for more in ({}, {"post": "yes"}):
            sent = {"action": action, "_selected_action": str(theirs.pk), "index": "0", **more}
            answer = visitors.ask("owner", "POST", f"/admin/{name}/", **form(sent))
            assert not answer.writes - NOTED, (action, answer.writes)
            assert leaks("owner", "/admin/", answer.said) == [], action
