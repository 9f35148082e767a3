import pytest, time
from tests.access.conditions import conditions
from tests.access.sight import Sight
from tests.access.visitors import Visitors

pytestmark = [pytest.mark.django_db]


class Again:
    def __init__(self, **k):
        self.k = k

    def __enter__(self):
        self.c = conditions(**self.k)
        self.c.__enter__()

    def __exit__(self, *a):
        return self.c.__exit__(*a)


@pytest.mark.slow
def test_x(visitors: Visitors) -> None:
    t0 = time.perf_counter()
    sight = Sight(visitors)
    found = sight.places()
    print("PLACES", len(found), time.perf_counter() - t0, flush=True)
    n = 0
    for place, where in sorted(found.items()):
        t = time.perf_counter()
        r = sight.sees(Again(without={place.name}), where)
        n += bool(r)
        print(
            f"{place.name}:{place.line} | {r[:150] or 'UNSEEN ' + str([one[:3] for one in where][:4])} | {len(where)} {time.perf_counter() - t:.1f}",
            flush=True,
        )
    print("SEEN", n, len(found), time.perf_counter() - t0)
