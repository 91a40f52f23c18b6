"""The database as the design wants it: WAL, IMMEDIATE, FULL; PostgreSQL by its address."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from algosystem.databases import database


@pytest.mark.django_db
def test_sqlite_runs_with_wal_full_sync_and_a_busy_timeout_of_five_seconds() -> None:
    if connection.vendor != "sqlite":
        return  # the suite runs on PostgreSQL too; there is nothing to look at then
    with connection.cursor() as cursor:
        answers = {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")}
        busy_ms = cursor.execute("PRAGMA busy_timeout").fetchone()[0]

    assert answers == {"journal_mode": "wal", "synchronous": 2}
    assert busy_ms == 5000
    assert connection.settings_dict["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_without_an_address_the_database_lies_in_the_state_directory(tmp_path: Path) -> None:
    assert database(None, state_dir=tmp_path)["NAME"] == str(tmp_path / "db.sqlite3")


def test_a_postgresql_address_is_taken_apart() -> None:
    found = database("postgresql://algo:p%40ss@db.example.com:6432/trading?sslmode=require", state_dir=Path())

    assert (found["USER"], found["PASSWORD"], found["HOST"], found["PORT"], found["NAME"]) == (
        "algo",
        "p@ss",
        "db.example.com",
        "6432",
        "trading",
    )
    assert found["OPTIONS"]["sslmode"] == "require"


def test_a_postgresql_address_may_name_a_private_socket() -> None:
    found = database("postgresql://algo@/trading?host=/run/pg", state_dir=Path())

    assert (found["HOST"], found["PORT"]) == ("/run/pg", "")


@pytest.mark.parametrize("url", ["mysql://h/db", "postgresql://host/", "postgresql://host:port/db"])
def test_another_kind_of_address_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
        database(url, state_dir=Path())
