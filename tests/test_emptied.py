"""What a test that commits has stored is gone afterwards, and nothing else."""

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, connection, transaction

from ingestion.models import LLMRequest, PriceEntry
from teams.models import Organization, Team
from tests import emptied, make

pytestmark = pytest.mark.django_db(transaction=True)


def stored() -> set[str]:
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    with connection.cursor() as cursor:
        answer = set()
        for name in names:
            cursor.execute(f"SELECT 1 FROM {connection.ops.quote_name(name)} LIMIT 1")
            if cursor.fetchone():
                answer.add(name)
    return answer


def test_every_table_is_emptied_but_those_that_no_test_fills() -> None:
    assert stored() == emptied.STAY
    organization = make.organization()
    make.team_member(make.team(organization, "Search"), "manager")
    make.price("gpt-5", "input", "1", organization=organization)
    make.request(organization, team="Search", user="ann", metadata={"environment": "prod"})
    assert {one._meta.db_table for one in (Organization, Team, PriceEntry, LLMRequest)} < stored()
    known = ContentType.objects.count(), Permission.objects.count()
    emptied.empty("default")
    assert stored() == emptied.STAY
    assert (ContentType.objects.count(), Permission.objects.count()) == known


def test_foreign_keys_hold_again_afterwards() -> None:
    make.team(make.organization())
    emptied.empty("default")
    with pytest.raises(IntegrityError), transaction.atomic():
        Team.objects.create(organization_id=1_000_000, name="of nobody")
