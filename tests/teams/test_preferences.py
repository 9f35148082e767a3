"""How pages look to a person: stored on the account, in the page before any script runs."""

import re

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from teams import services
from teams.models import User

pytestmark = pytest.mark.urls("tests.teams.urls")
SAVE = "/profile/preferences"


def attributes(client: Client) -> str:
    found = re.search(r"<html([^>]*)>", client.get("/profile").content.decode())
    assert found
    return found[1]


def test_pages_look_as_chosen(owner: User, client: Client) -> None:
    client.force_login(owner)
    assert attributes(client) == ' lang="en" data-times="org"'
    answer = client.post(SAVE, {"theme": "dark", "times": "viewer"}, follow=True)
    assert "Saved." in answer.content.decode()
    assert attributes(client) == ' lang="en" data-theme="dark" data-times="viewer"'
    assert re.search(r'<option value="dark" selected>', client.get("/profile").content.decode())
    client.post(SAVE, {"theme": "system", "times": "org"})
    assert attributes(client) == ' lang="en" data-times="org"'


@pytest.mark.parametrize("sent", [{"theme": '"><script>', "times": "org"}, {"theme": "dark"}, {"times": "mars"}, {}])
def test_other_words_change_nothing(sent: dict[str, str], owner: User, client: Client) -> None:
    client.force_login(owner)
    answer = client.post(SAVE, sent, follow=True)
    assert "Nothing was changed." in answer.content.decode()
    owner.refresh_from_db()
    assert (owner.theme, owner.times) == ("system", "org")


def test_only_the_own_account_and_only_by_posting(owner: User, admin: User, client: Client) -> None:
    assert client.post(SAVE, {"theme": "dark", "times": "org"})["Location"].startswith("/sign-in")
    client.force_login(owner)
    assert client.get(SAVE).status_code == 405
    client.post(SAVE, {"theme": "dark", "times": "org"})
    assert dict(User.objects.values_list("email", "theme")) == {owner.email: "dark", admin.email: "system"}


@pytest.mark.parametrize(("theme", "times"), [("sepia", "org"), ("dark", "mars"), ("", "")])
def test_the_act_refuses_them_by_itself(theme: str, times: str, owner: User) -> None:
    with pytest.raises(ValidationError, match="Choose from"):
        services.set_preferences(user=owner, theme=theme, times=times)
    owner.refresh_from_db()
    assert (owner.theme, owner.times) == ("system", "org")
