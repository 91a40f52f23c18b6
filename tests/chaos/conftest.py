"""One stack a database for all faults: they come one after the other on one busy day."""

from collections.abc import Iterator

import pytest

from tests.chaos.arena import Arena
from tests.databases import start_postgres
from tests.postgres import PostgresServer


@pytest.fixture(scope="package")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL that these tests may stop."""
    server = start_postgres()
    yield server
    server.close()


@pytest.fixture(scope="package", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def arena(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """Give a running stack in the middle of a busy day."""
    server = request.getfixturevalue("postgres_server") if request.param == "postgresql" else None
    arena = Arena(tmp_path_factory.mktemp(f"chaos-{request.param}"), server)
    try:
        arena.begin()
        yield arena
    finally:
        arena.stack.stop()


@pytest.fixture(autouse=True)
def _healed(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave no fault to the next test."""
    yield
    if "arena" in request.fixturenames:
        request.getfixturevalue("arena").heal()
