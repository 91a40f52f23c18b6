"""`when_ready COMMAND ...`: becomes a command once the database answers and its tables are up to date."""

import os
import time
from argparse import REMAINDER, ArgumentParser
from typing import Any

import redis
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from trading.clock.live import LiveClock
from trading.domain.errors import ConfigurationError
from trading.services.venue import ask_paper_exchange, claim_redis, claim_venue, own_venue

PAUSE_S = 0.5
MIGRATION_LOCK = 810_910
"""PostgreSQL advisory lock: of several web processes only one migrates at a time."""


class Command(BaseCommand):
    """Lets a Procfile start all its processes at once against an empty database."""

    help = "Wait for database, migrations, Redis and, on paper, its exchange, then become the command."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--migrate", action="store_true", help="apply missing migrations instead of waiting")
        parser.add_argument("--within", type=float, default=120.0, help="give up after so many seconds")
        parser.add_argument(
            "--without-redis", dest="redis", action="store_false", help="do not wait for Redis: the standby needs none"
        )
        parser.add_argument("command", nargs=REMAINDER)

    def handle(self, *args: Any, **options: Any) -> None:
        """Wait and become the command."""
        command: list[str] = options["command"]
        if not command:
            raise CommandError("name the command that should run")
        clock = LiveClock()
        deadline = clock.monotonic() + options["within"]
        said = ""
        while (problem := _what_is_missing(migrate=options["migrate"], redis_is_needed=options["redis"])) is not None:
            if clock.monotonic() > deadline:
                raise CommandError(f"{problem} for {options['within']:g} s")
            if problem != said:
                self.stdout.write(f"Waiting: {problem}.")
                said = problem
            time.sleep(PAUSE_S)
        _claim(redis_is_needed=options["redis"])
        connection.close()
        os.execvp(command[0], command)  # noqa: S606 (no shell is wanted)


def _redis() -> "redis.Redis[bytes]":
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)


def _what_is_missing(*, migrate: bool, redis_is_needed: bool) -> str | None:
    try:
        _redis().ping()
    except redis.RedisError:
        if redis_is_needed:
            return "Redis has not answered"
    if settings.IS_PAPER and settings.PAPER_CONTROL_URL:
        try:
            ask_paper_exchange()
        except (OSError, ValueError):
            return "the paper exchange has not answered"
    try:
        if not _has_plan():
            return None
        if migrate:
            _migrate()
            return None
    except OperationalError:
        return "the database has not answered"
    return "the database's tables have not been up to date"


def _claim(*, redis_is_needed: bool) -> None:
    """Database and Redis are marked as live, or as the paper exchange's; those of another venue are refused."""
    if settings.IS_DEMO:
        return  # run_stack claimed it for its exchange
    try:
        name = own_venue()
        claim_venue(name)
        try:
            claim_redis(_redis(), name)
        except redis.RedisError:
            if redis_is_needed:
                raise
    except (ConfigurationError, redis.RedisError) as error:
        raise CommandError(str(error)) from error


def _has_plan() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _migrate() -> None:
    if connection.vendor != "postgresql":
        call_command("migrate", interactive=False, verbosity=1)
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            call_command("migrate", interactive=False, verbosity=1)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])
