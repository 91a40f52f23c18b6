"""Connections go back to PostgreSQL's pool, and one that the server has cut is not handed out again."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from algosystem.databases import postgresql
from tests.databases import PostgresTemplate, use_database
from trading.models import House
from trading.stores.thread import in_thread

pytestmark = pytest.mark.postgres


@pytest.fixture
def pooled(postgres_template: PostgresTemplate, django_db_blocker: DjangoDbBlocker) -> Iterator[PostgresTemplate]:
    """A database with the product's own options, and a pool of two connections."""
    options: dict[str, Any] = postgresql("postgresql://host/name")
    options["OPTIONS"]["pool"] = {**options["OPTIONS"]["pool"], "max_size": 2}
    place = postgres_template.fresh()
    database = {**place, **{name: options[name] for name in ("OPTIONS", "CONN_HEALTH_CHECKS")}}
    with django_db_blocker.unblock(), use_database(database):
        yield postgres_template
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
