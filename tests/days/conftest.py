"""Servers that stand outside of what is tested, as a self-hoster's do."""

from collections.abc import Iterator

import pytest

from tests.databases import start_postgres
from tests.postgres import PostgresServer


@pytest.fixture(scope="package")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL of these tests' own."""
    server = start_postgres()
    yield server
    server.close()
