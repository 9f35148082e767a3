"""What the admin classes of ingest share."""

from teams.admin.frozen import Frozen
from teams.admin.scoped import ScopedAdmin
from teams.roles import Capability


class ReadOnlyAdmin(Frozen, ScopedAdmin):
    """Rows that traffic writes: everybody who sees everything may look, nobody changes them."""

    view_capability = Capability.SEE_EVERYTHING
    show_full_result_count = False
