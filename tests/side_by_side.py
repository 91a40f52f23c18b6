"""How pytest-xdist's processes share the suite: a file stays in one of them, and what takes longest begins first.

The thousand simulated days are played beside all of it, by processes that give way (tests/simulation/thousand.py), and
whoever waits for them comes last.
"""

import pytest

FIRST = (
    "tests/chaos/test_chaos.py",
    "tests/days/test_whole_day.py",  # both keep running stacks busy: more of these at once get in each other's way
    "tests/engine/",
    "tests/exchange/",
    "tests/stores/",
)
LAST = "tests/simulation/test_thousand_days.py"


def place(item: pytest.Item) -> int:
    """Say where in the run a test has its place."""
    if item.nodeid.startswith(LAST):
        return len(FIRST) + 1
    return next((number for number, start in enumerate(FIRST) if item.nodeid.startswith(start)), len(FIRST))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the tests in the order in which they are given out; one process alone keeps its own, but for the last."""
    is_shared = hasattr(config, "workerinput")
    items.sort(key=lambda item: place(item) if is_shared else place(item) > len(FIRST))
