"""Connections go back to PostgreSQL's pool, and one that the server has cut is not handed out again."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from psycopg import sql
from pytest_django import DjangoDbBlocker

from algosystem.databases import postgresql
from tests.databases import PostgresTemplate, use_database
from trading.domain.errors import StoreUnavailable
from trading.models import House
from trading.stores.thread import DatabaseThread, in_thread

pytestmark = pytest.mark.postgres

POOLED = 2


@pytest.fixture
def pooled(postgres_template: PostgresTemplate, django_db_blocker: DjangoDbBlocker) -> Iterator[PostgresTemplate]:
    """A database with the product's own options, and a pool of two connections."""
    options: dict[str, Any] = postgresql("postgresql://host/name")
    options["OPTIONS"]["pool"] = {**options["OPTIONS"]["pool"], "max_size": POOLED}
    place = postgres_template.fresh()
    database = {**place, **{name: options[name] for name in ("OPTIONS", "CONN_HEALTH_CHECKS")}}
    with django_db_blocker.unblock(), use_database(database):
        yield postgres_template
        connection.close()  # else it opens a pool of its own to go back to
        connection.close_pool()  # type: ignore[attr-defined]  # of the PostgreSQL backend


def test_work_beside_the_loop_gives_its_connection_back(pooled: PostgresTemplate) -> None:
    """Each task of the worker has a loop of its own, whose threads end with it."""
    for _ in range(5):
        assert asyncio.run(in_thread(House.objects.count)) == 0


def test_a_failure_beside_the_loop_gives_its_connection_back_too(pooled: PostgresTemplate) -> None:
    for _ in range(5):
        with pytest.raises(House.DoesNotExist):
            asyncio.run(in_thread(House.objects.get, id=1))


def test_after_a_restart_of_the_server_the_first_page_already_works(pooled: PostgresTemplate) -> None:
    assert House.objects.count() == 0
    connection.close()  # into the pool, as after every request

    pooled.server.pause()
    pooled.server.resume()

    assert House.objects.count() == 0


@pytest.mark.proves("F41", database="postgresql")
def test_a_server_that_only_reads_counts_as_away_and_its_connection_is_not_used_again(pooled: PostgresTemplate) -> None:
    thread, name = DatabaseThread(), sql.Identifier(str(connection.settings_dict["NAME"]))

    def may_write(*, it_may: bool) -> None:
        only_reads = sql.SQL("off" if it_may else "on")
        pooled.server.execute(
            sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = {}").format(name, only_reads)
        )

    def ask(*works: Callable[[], Any]) -> list[Any]:
        async def together() -> list[Any]:
            return await asyncio.gather(*map(thread.run, works), return_exceptions=True)

        return asyncio.run(together())

    try:
        may_write(it_may=False)
        answers = ask(House.objects.count, House.objects.create, House.objects.create)
        assert [type(answer) for answer in answers] == [StoreUnavailable] * 3
        assert asyncio.run(thread.read(House.objects.count)) == 0

        may_write(it_may=True)
        tries = 0
        while not isinstance(ask(House.objects.create)[0], House):  # each try is one of the pool's old connections less
            tries += 1
            assert tries <= POOLED
    finally:
        thread.close()
    assert House.objects.count() == 1
