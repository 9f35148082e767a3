"""To which team a request belongs, decided once: named in the record > its account's > its user's > nobody's. Pure."""

from ingestion.records import Attribution


def attribute(named: int | None, of_account: int | None, of_user: int | None) -> tuple[int | None, Attribution]:
    """The team's id and why; None = Unassigned."""
    if named is not None:
        return named, Attribution.RECORD
    if of_account is not None:
        return of_account, Attribution.VIRTUAL_ACCOUNT
    if of_user is not None:
        return of_user, Attribution.USER
    return None, Attribution.UNASSIGNED
