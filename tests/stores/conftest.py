"""The stores under test, each in a world that a test can arrange in the same words."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, nullcontext

import pytest
from pytest_django import DjangoDbBlocker

from tests.databases import PostgresTemplate, SqliteTemplate, start_postgres, use_database
from tests.factories import TEN_O_CLOCK
from tests.fakes.clock import FakeClock
from tests.postgres import PostgresServer
from tests.stores.worlds import DjangoWorld, MemoryWorld, World

ON_POSTGRES = pytest.param("postgres", marks=pytest.mark.postgres)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker) -> SqliteTemplate:
    with django_db_blocker.unblock():
        return SqliteTemplate(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgres_template(django_db_blocker: DjangoDbBlocker) -> Iterator[PostgresTemplate]:
    server = start_postgres()
    try:
        with django_db_blocker.unblock():
            template = PostgresTemplate(server)
        yield template
    finally:
        server.close()


@pytest.fixture(params=["sqlite", ON_POSTGRES])
def database(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """A fresh database that every thread of the test sees; gives its kind."""
    with _fresh_database(request, django_db_blocker):
        yield request.param


@pytest.fixture
def postgres_database(
    postgres_template: PostgresTemplate, django_db_blocker: DjangoDbBlocker
) -> Iterator[PostgresServer]:
    """A fresh PostgreSQL database; gives the server, which a test may stop and must start again."""
    with django_db_blocker.unblock(), use_database(postgres_template.fresh()):
        yield postgres_template.server


@pytest.fixture(params=["memory", "sqlite", ON_POSTGRES])
def backend(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """Every kind of store there is."""
    with nullcontext() if request.param == "memory" else _fresh_database(request, django_db_blocker):
        yield request.param


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(TEN_O_CLOCK)


@pytest.fixture
async def django_world(database: str, clock: FakeClock) -> AsyncIterator[DjangoWorld]:
    world = DjangoWorld(clock)
    await world.people_the_house()
    yield world
    world.close()


@pytest.fixture
async def world(backend: str, clock: FakeClock) -> AsyncIterator[World]:
    """Alice and charlie with an account each, in every store there is."""
    if backend == "memory":
        yield MemoryWorld(clock)
        return
    world = DjangoWorld(clock)
    await world.people_the_house()
    yield world
    world.close()


@contextmanager
def _fresh_database(request: pytest.FixtureRequest, blocker: DjangoDbBlocker) -> Iterator[None]:
    template = request.getfixturevalue(f"{request.param}_template")
    with blocker.unblock(), use_database(template.fresh()):
        yield
