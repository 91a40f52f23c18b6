"""One tour a database, both at the same time."""

from collections.abc import Iterator
from functools import partial
from itertools import count

import pytest

from tests.chaos.arena import Arena
from tests.chaos.tour import Tour, itinerary
from tests.chaos.troubles import POSTGRESQL, Trouble
from tests.databases import start_postgres
from tests.postgres import PostgresServer

DEFAULT_ROUNDS, DEFAULT_SEED = 1, 83


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add how long the tours are."""
    group = parser.getgroup("chaos")
    group.addoption("--chaos-rounds", type=int, default=DEFAULT_ROUNDS, help="times that each trouble is tried")
    group.addoption("--chaos-seed", type=int, default=DEFAULT_SEED, help="of the order of the troubles")


@pytest.fixture(scope="module")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL that these tests may stop."""
    server = start_postgres()
    yield server
    server.close()


@pytest.fixture(scope="module")
def tours(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Tour]]:
    """Give the tours that the chosen tests ask for, begun."""
    wanted: dict[str, list[Trouble]] = {}
    for item in request.session.items:
        said = getattr(item, "callspec", None)
        if said is not None and {"database", "trouble"} <= set(said.params):
            wanted.setdefault(said.params["database"], []).append(said.params["trouble"])
    rounds = request.config.getoption("--chaos-rounds", DEFAULT_ROUNDS)
    seed = request.config.getoption("--chaos-seed", DEFAULT_SEED)
    numbers, diaries = count(1), tmp_path_factory.mktemp("chaos-diaries")

    def make_arena(database: str) -> Arena:
        folder = tmp_path_factory.mktemp(f"chaos-{database}-{next(numbers)}")
        return Arena(folder, server if database == POSTGRESQL else None)

    server = request.getfixturevalue("postgres_server") if POSTGRESQL in wanted else None
    tours = {
        database: Tour(partial(make_arena, database), itinerary(troubles, rounds, seed), diaries / f"{database}.log")
        for database, troubles in wanted.items()
    }
    for tour in tours.values():
        tour.begin()
    yield tours
    for tour in tours.values():
        tour.end()
