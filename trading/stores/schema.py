"""Whether the database has exactly the tables that this build was written for. Nobody trades on another schema."""

from functools import lru_cache

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

APP = "trading"


@lru_cache(maxsize=1)
def own_migrations() -> frozenset[str]:
    """Name the migrations of this build."""
    return frozenset(name for app, name in MigrationLoader(None).disk_migrations if app == APP)


def schema_problem() -> str:
    """Say what is wrong with the database's migrations and what to do; empty when they are exactly this build's."""
    applied = {name for app, name in MigrationRecorder(connection).applied_migrations() if app == APP}
    if unknown := applied - own_migrations():
        return (
            f"the database has migrations that this build does not know ({_words(unknown)}): it is a newer build's. "
            "Start that build; to go back, stop every process and restore the database of before"
        )
    if missing := own_migrations() - applied:
        return (
            f"the database lacks migrations of this build ({_words(missing)}). "
            "Stop every engine, run `python manage.py migrate`, start them again"
        )
    return ""


def _words(names: set[str] | frozenset[str]) -> str:
    return ", ".join(sorted(names))
