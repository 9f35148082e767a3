from teams.roles import CAPABILITIES, Capability, OrganizationRole


def test_what_each_role_may_do() -> None:
    everything = {
        Capability.SEE_EVERYTHING,
        Capability.MANAGE_PRICES,
        Capability.MANAGE_CHARGEBACK,
        Capability.ANNOTATE,
    }
    assert {
        "owner": everything | {Capability.MANAGE_PEOPLE},
        "admin": everything | {Capability.MANAGE_PEOPLE},
        "finance": everything,
        "member": set(),
    } == CAPABILITIES


def test_every_role_stands_in_the_table_and_an_unknown_one_does_not() -> None:
    assert set(CAPABILITIES) == set(OrganizationRole)
    assert CAPABILITIES.get("root") is None
