"""Links of the page: each keeps the rest of the state and changes one thing."""

import pytest
from django.template import Context, Template
from django.test import RequestFactory

from tests import make

RANGE = {"start": "2026-11-23T04:00:00Z", "end": "2026-11-24T04:00:00Z"}


def render(text: str, query: str = "", **context: object) -> str:
    request = RequestFactory().get(f"/?{query}")
    return Template("{% load portal %}" + text).render(Context({"request": request, **context}))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "?by=team"),
        ("by=user&p=99", "?by=team&amp;p=99"),
        ("page=4&f=model:eq:a&f=team:eq:b", "?f=model:eq:a&amp;f=team:eq:b&amp;by=team"),
        ("key=tenant&by=metadata", "?by=team"),
    ],
)
def test_link_with_replaces_one_parameter_and_starts_at_the_first_page(query: str, expected: str) -> None:
    assert render("{% link_with by='team' key=None %}", query) == expected


def test_filters_are_added_once_and_removed_one_by_one() -> None:
    query = "f=model:eq:a&f=user:eq:b"

    assert render("{% link_with_filter 'team:eq:c' %}", query).count("f=") == 3
    assert render("{% link_with_filter 'model:eq:a' %}", query).count("f=") == 2
    assert render("{% link_without_filter 'model:eq:a' %}", query) == "?f=user:eq:b"


def test_hostile_text_in_a_link_stays_text() -> None:
    link = render("{% link_with_filter hostile %}", hostile='model:eq:"><script>&x=1')

    assert link == "?f=model:eq:%22%3E%3Cscript%3E%26x%3D1"


@pytest.mark.parametrize(
    ("sort", "expected"),
    [("-cost_usd", "?sort=cost_usd"), ("cost_usd", "?sort=-cost_usd"), ("-requests", "?sort=-cost_usd")],
)
def test_sorting_turns_around(sort: str, expected: str) -> None:
    assert render("{% link_sorted 'cost_usd' sort %}", sort=sort) == expected


@pytest.mark.parametrize(
    ("move", "expected"),
    [
        ("earlier", "?from=2026-11-22T04:00:00Z&amp;to=2026-11-23T04:00:00Z"),
        ("later", "?from=2026-11-24T04:00:00Z&amp;to=2026-11-25T04:00:00Z"),
        ("wider", "?from=2026-11-22T16:00:00Z&amp;to=2026-11-24T16:00:00Z"),
    ],
)
def test_range_moves_by_its_own_length(move: str, expected: str) -> None:
    assert render("{% link_to_range shown move %}", shown=RANGE, move=move) == expected


def test_hidden_inputs_carry_the_rest_of_the_state() -> None:
    html = render("{% hidden_state 'from' 'to' %}", "from=now-1h&to=now&f=user:eq:<b>&f=team:eq:x&page=2")

    assert html.split("\n")[:2] == [
        '<input type="hidden" name="f" value="user:eq:&lt;b&gt;">',
        '<input type="hidden" name="f" value="team:eq:x">',
    ]
    assert "from" not in html
    assert "page" not in html


@pytest.mark.django_db
def test_organizations_are_those_of_the_viewer() -> None:
    mine, other = make.organization("acme"), make.organization("globex")
    request = RequestFactory().get("/")
    request.user = make.member(mine)
    names = "{% load portal %}{% viewer_organizations as list %}{% for one in list %}{{ one.slug }} {% endfor %}"

    assert Template(names).render(Context({"request": request})) == "acme "
    assert Template(names).render(Context({})) == ""
    assert other.slug == "globex"
