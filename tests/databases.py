"""Whole databases for one test: a SQLite file or a PostgreSQL database, copied from a migrated template.

For tests whose code commits on threads of its own, where a test transaction cannot reach.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest
from django.core.management import call_command
from django.db import connection, connections

from algosystem.databases import sqlite
from tests.postgres import PostgresMissing, PostgresServer

T = TypeVar("T")
Settings = dict[str, Any]


@contextmanager
def use_database(settings: Settings) -> Iterator[None]:
    """Let `default` mean this database, in this thread and in those started from now on."""
    before = connections.settings["default"]
    _forget()
    connections.settings["default"] = connections.configure_settings({"default": dict(settings)})["default"]
    try:
        yield
    finally:
        _forget()
        connections.settings["default"] = before


def migrate() -> None:
    """Bring the present database up to date, as far as our own tables need it."""
    call_command("migrate", "trading", verbosity=0)
    connection.close()


def remove_guards() -> None:
    """Take off what keeps the event log from being changed, as somebody with the right to alter tables can."""
    migration = import_module("trading.migrations.0006_append_only_log")
    with connection.schema_editor() as editor:
        migration.remove(None, editor)


def in_thread_of_its_own(work: Callable[[], T]) -> Callable[[], T]:
    """Wrap database work for asyncio.to_thread: its connection is closed afterwards."""

    def run() -> T:
        try:
            return work()
        finally:
            connection.close()

    return run


class SqliteTemplate:
    """A migrated file, and copies of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count(1)
        with use_database(sqlite(folder / "template.sqlite3")):
            migrate()

    def fresh(self) -> Settings:
        """Give a new database as Django settings."""
        copy = self._folder / f"{next(self._numbers)}.sqlite3"
        shutil.copy(self._folder / "template.sqlite3", copy)
        return sqlite(copy)


class PostgresTemplate:
    """A migrated database, and copies of it."""

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self._numbers = count(1)
        server.execute("CREATE DATABASE model")
        with use_database(server.settings("model")):
            migrate()

    def fresh(self) -> Settings:
        """Give a new database as Django settings, and remove the one given before.

        Each is some seven hundred files: left to the end, removing those of a whole suite takes minutes.
        """
        number = next(self._numbers)
        name = f"test_{number}"
        self.server.execute(f"DROP DATABASE IF EXISTS test_{number - 1} WITH (FORCE)")
        self.server.execute(f"CREATE DATABASE {name} TEMPLATE model")
        return self.server.settings(name)


def start_postgres() -> PostgresServer:
    """Start the server, or skip with the reason. In CI nothing is skipped."""
    try:
        return PostgresServer()
    except PostgresMissing as missing:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"PostgreSQL tests: {missing}")


def _forget() -> None:
    connections["default"].close()
    del connections["default"]
