"""A database and a Redis belong to one venue: "live", or the id of one simulated exchange."""

import json
import urllib.request
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.db import connection, transaction

from trading.domain.errors import ConfigurationError
from trading.models import Venue
from trading.services.anchors import anchor_file

LIVE = "live"
ANSWERS_WITHIN_S = 2.0
REDIS_KEY = "venue"


def own_venue() -> str:
    """Give the venue of this installation's settings, live or paper. Raises ConfigurationError.

    On paper it is the id of the paper exchange, which must be running and must be one at live prices.
    """
    if not settings.IS_PAPER:
        return LIVE
    try:
        said = ask_paper_exchange()
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"The paper exchange at PAPER_CONTROL_URL does not answer: {error}") from error
    if not said.get("live"):
        raise ConfigurationError("The exchange at PAPER_CONTROL_URL makes its own prices: start it with --live.")
    return str(said["exchange_id"])


def ask_paper_exchange() -> dict[str, Any]:
    """Give the answer of the paper exchange's clock. Raises OSError or ValueError when there is none."""
    url = f"{settings.PAPER_CONTROL_URL.rstrip('/')}/clock"
    with urllib.request.urlopen(url, timeout=ANSWERS_WITHIN_S) as reply:  # noqa: S310 (settings: loopback, http)
        said: dict[str, Any] = json.load(reply)
    return said


def recorded_venue() -> str | None:
    """Give the venue that claimed this database; None while nobody has, also before the first migration."""
    if Venue._meta.db_table not in connection.introspection.table_names():
        return None
    return Venue.objects.values_list("name", flat=True).first()


def claim_venue(venue: str) -> None:
    """Record the venue of a new database, and refuse one of another venue. Safe to call at every start.

    Raises ConfigurationError with the remedy.
    """
    with transaction.atomic():
        row, _ = Venue.objects.get_or_create(defaults={"name": venue})
    if row.name == venue:
        return
    if LIVE in (row.name, venue):
        remedy = "give this one a --state-dir (or DATABASE_URL) of its own"
    else:
        remedy = "start with --fresh to empty it, or give this one a --state-dir of its own"
    raise ConfigurationError(f"This database belongs to the venue {row.name} and cannot serve {venue}: {remedy}.")


def empty_demo_database(*, own_venues: set[str]) -> None:
    """Drop every table of a database that one of our own demos claimed; one that nobody claimed stays.

    `own_venues` are ids of the exchange of this state directory. Raises ConfigurationError for a live
    database, and for an outside database of somebody else's demo.
    """
    venue = recorded_venue()
    if venue is None:
        return
    if venue == LIVE:
        raise ConfigurationError(
            "This database is a live one; --fresh never empties it. Give a --state-dir of its own."
        )
    if venue not in own_venues and not _is_own_file():
        raise ConfigurationError(
            f"DATABASE_URL is the database of {venue}, not of this state directory's exchange; --fresh leaves it alone."
        )
    _drop_tables()
    anchor_file().unlink(missing_ok=True)  # of a log that is gone


def claim_redis(client: "redis.Redis[bytes]", venue: str, *, is_fresh: bool = False) -> None:
    """Mark the Redis as this venue's; another demo's hot state there is emptied, a live one's refused.

    Redis may lose the mark at any time; the database's is the one that counts.
    """
    raw = client.get(REDIS_KEY)
    before = raw.decode() if isinstance(raw, bytes) else None
    if before not in (None, venue) and LIVE in (before, venue):
        raise ConfigurationError(
            f"This Redis belongs to the venue {before} and cannot serve {venue}: set another REDIS_URL."
        )
    if before is not None and venue != LIVE and (is_fresh or before != venue):
        client.flushdb()
    client.set(REDIS_KEY, venue)


def _is_own_file() -> bool:
    name = Path(str(connection.settings_dict["NAME"]))
    return connection.vendor == "sqlite" and name.parent == Path(settings.STATE_DIR)


def _drop_tables() -> None:
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        cascade = "" if connection.vendor == "sqlite" else " CASCADE"
        for table in tables:
            cursor.execute(f"DROP TABLE IF EXISTS {connection.ops.quote_name(table)}{cascade}")
