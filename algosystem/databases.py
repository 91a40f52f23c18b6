"""DATABASES from DATABASE_URL: the embedded SQLite file, or PostgreSQL."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

BUSY_TIMEOUT_S = 5
POOL = {"min_size": 1, "max_size": 8, "timeout": 5, "reconnect_timeout": 5}
"""Seconds. Connecting again is tried after 1, 2, 4, 8 ... s until `reconnect_timeout`, and at once at the next request
after it: left at its five minutes, a database that was away for one minute would be missed for another."""
LOST_AFTER = {"connect_timeout": 5, "tcp_user_timeout": 10_000, "keepalives_idle": 30}
"""libpq's (s, ms, s): a host that has vanished without a word is noticed. What the address says goes before."""
SQLITE_PRAGMAS = f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout={BUSY_TIMEOUT_S * 1000};"


def sqlite(path: Path) -> dict[str, Any]:
    """Describe a SQLite file: WAL, transactions take the write lock at once, every commit reaches the disk."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "OPTIONS": {
            "timeout": BUSY_TIMEOUT_S,
            "transaction_mode": "IMMEDIATE",
            "init_command": SQLITE_PRAGMAS,
        },
        # A file, not shared memory: the engine's store writes from a thread of its own.
        "TEST": {"NAME": str(path.with_name(f"test-{path.name}"))},
    }


def postgresql(url: str) -> dict[str, Any]:
    """Read `postgresql://user:password@host:port/name?sslmode=require`; `?host=/dir` is a private socket."""
    parts = urlsplit(url)
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    name = unquote(parts.path.lstrip("/"))
    try:
        port = parts.port
    except ValueError:
        port = -1
    if not name or port == -1:
        raise ImproperlyConfigured("DATABASE_URL must read postgresql://user:password@host:port/name")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or options.pop("user", "")),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", "") or unquote(parts.hostname or ""),
        "PORT": str(port or options.pop("port", "")),
        "OPTIONS": {**LOST_AFTER, **options, "pool": POOL},
        "CONN_HEALTH_CHECKS": True,  # the pool still has the connections that a restart of the server has cut
    }


def database(url: str | None, *, state_dir: Path) -> dict[str, Any]:
    """Choose by the address; without one, the state directory's own SQLite file."""
    if url is None:
        return sqlite(state_dir / "db.sqlite3")
    scheme = urlsplit(url).scheme
    if scheme == "sqlite":
        return sqlite(Path(unquote(url.removeprefix("sqlite://"))))
    if scheme in ("postgres", "postgresql"):
        return postgresql(url)
    raise ImproperlyConfigured("DATABASE_URL must begin with postgresql:// or sqlite:///")
