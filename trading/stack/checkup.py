"""`stack check`: does this installation have what a trading day needs?"""

from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

import redis
import requests
from django.conf import settings
from django.core import checks
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from trading.domain.timezone import to_ist
from trading.services import venue, wiring
from trading.services.alarms.probes import probe_channels

ANSWERS_WITHIN_S = 5.0
LARGEST_SKEW_S = 2.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer; `detail` says what was found, or what to do."""

    name: str
    is_ok: bool
    detail: str


def check_all() -> list[Finding]:
    """Run every check; one that breaks is a finding, not an end."""
    found = [configuration(), database(), redis_server(), broker(), clock(), alarm_channels()]
    return [*found, paper_exchange()] if settings.PAPER_CONTROL_URL else found


def configuration() -> Finding:
    """Run Django's and our own system checks."""
    problems = [message for message in checks.run_checks() if message.level >= checks.WARNING]
    if problems:
        return Finding("configuration", False, "; ".join(f"{problem.id} {problem.msg}" for problem in problems))  # noqa: FBT003
    return Finding("configuration", True, "no complaint")  # noqa: FBT003


def database() -> Finding:
    """Ask the database for its tables and its venue."""

    def ask() -> str:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if missing:
            raise LookupError(f"{len(missing)} migrations are missing: run `python manage.py migrate`")
        return f"{connection.vendor}, up to date, venue {venue.recorded_venue()}"

    return _finding("database", ask, DatabaseError)


def redis_server() -> Finding:
    """Ask Redis for its version."""

    def ask() -> str:
        info = wiring.redis_client().info("server")
        assert isinstance(info, dict)  # noqa: S101 (the synchronous client)
        return f"answers ({info.get('server_name', 'redis')} {info.get('valkey_version') or info['redis_version']})"

    return _finding("redis", ask, redis.RedisError)


def broker() -> Finding:
    """See whether the broker's API host answers at all; no sign-in is tried."""

    def ask() -> str:
        reply = requests.get(settings.KITE_ROOT, timeout=ANSWERS_WITHIN_S, allow_redirects=False)
        if reply.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise LookupError(f"{settings.KITE_ROOT} is in trouble: it answered with HTTP {reply.status_code}")
        return f"{settings.KITE_ROOT} answers"

    return _reachable("broker", ask)


def clock() -> Finding:
    """Demo: the exchange tells the time. Live: this machine's clock agrees with the broker's."""

    def ask() -> str:
        here = wiring.clock().now()
        if settings.ALGO_CONTROL_URL:
            return f"the simulated market's time is {to_ist(here):%Y-%m-%d %H:%M:%S} IST"
        reply = requests.head(settings.KITE_ROOT, timeout=ANSWERS_WITHIN_S, allow_redirects=False)
        there = parsedate_to_datetime(reply.headers["Date"])
        skew_s = abs((wiring.clock().now() - there).total_seconds())
        if skew_s > LARGEST_SKEW_S:
            raise LookupError(f"this machine's clock is {skew_s:.1f} s away from the broker's: set up NTP")
        return f"within {LARGEST_SKEW_S:g} s of the broker's"

    return _reachable("clock", ask)


def alarm_channels() -> Finding:
    """Try the ways by which alarms leave; before the session each of them must work."""
    found = probe_channels(wiring.clock())
    bad = [f"{name}: {error}" for name, error in found.items() if error]
    if bad:
        return Finding("alarms", False, "; ".join(bad))  # noqa: FBT003
    return Finding("alarms", True, f"{' and '.join(found)} would take them; `manage.py alarm_test` sends one")  # noqa: FBT003


def paper_exchange() -> Finding:
    """Ask the paper exchange how its feed stands; that no price is there before the feed's login is no fault."""

    def ask() -> str:
        said = requests.get(f"{settings.PAPER_CONTROL_URL}/clock", timeout=ANSWERS_WITHIN_S).json()
        if not said.get("live"):
            raise LookupError("it makes its own prices: start it with `run_exchange --live`")
        feed = said["feed"]
        if not feed["connected"]:
            raise LookupError("it answers, but no ticker feeds it: is `run_ticker` running with PAPER_CONTROL_URL?")
        return f"fed, {feed['instruments']} instruments, newest price {feed['newest'] or 'none yet'}"

    try:
        return _finding("paper exchange", ask, requests.JSONDecodeError, KeyError)
    except requests.RequestException:
        return Finding("paper exchange", False, f"{settings.PAPER_CONTROL_URL} does not answer")  # noqa: FBT003


def _reachable(name: str, ask: Callable[[], str]) -> Finding:
    """Run a check that asks the broker's host; the library's nested error text is left out."""
    try:
        return _finding(name, ask)
    except requests.RequestException as error:
        host = urlsplit(settings.KITE_ROOT).netloc
        why = "did not answer in time" if isinstance(error, requests.Timeout) else "could not be reached"
        return Finding(name, False, f"{host} {why}: check this machine's network and KITE_ROOT")  # noqa: FBT003
    except OSError as error:  # the control port, asked by the clock
        return Finding(name, False, f"{settings.ALGO_CONTROL_URL} could not be reached: {error}")  # noqa: FBT003


def _finding(name: str, ask: Callable[[], str], *expected: type[Exception]) -> Finding:
    errors: tuple[type[Exception], ...] = (LookupError, *expected)
    try:
        return Finding(name, True, ask())  # noqa: FBT003
    except errors as error:
        return Finding(name, False, str(error) or type(error).__name__)  # noqa: FBT003
