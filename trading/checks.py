"""System checks of our own: what would go wrong later is said at the start, with the remedy."""

import os
from collections.abc import Sequence
from importlib import metadata
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

OLDEST_BAD_REDIS_CLIENT = 8
OF_TESTS = ("ALGO_CLOCK_FILE", "ALGO_CRASH_AT", "ALGO_CRASH_FILE")
PAPER_ADDRESSES = ("PAPER_ROOT", "PAPER_WS_ROOT", "PAPER_LOGIN_ROOT", "PAPER_CONTROL_URL")


@register(Tags.security)
def field_keys(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """E001: broker secrets need at least one good key, and every listed key must be good."""
    try:
        keys = [Fernet(key) for key in settings.FIELD_KEYS]
    except ValueError:
        keys = []
    if keys:
        return []
    hint = "Give FIELD_KEYS as Fernet keys between commas, the writing key first; `manage.py make_keys` prints one."
    return [Error("FIELD_KEYS holds no usable key, or one that is no Fernet key.", hint=hint, id="trading.E001")]


@register(Tags.compatibility)
def installed_packages(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """E002, E003: packages that break others without a word."""
    found: list[CheckMessage] = []
    if int(metadata.version("redis").partition(".")[0]) >= OLDEST_BAD_REDIS_CLIENT:
        hint = "Install redis 7: version 8 gives every blocking read a 5 s timeout, which breaks the channel layer."
        found.append(Error("The redis client is version 8 or newer.", hint=hint, id="trading.E002"))
    if _is_installed("daphne"):
        hint = "Uninstall daphne: it cannot stand beside kiteconnect 5. The server here is uvicorn."
        found.append(Error("daphne is installed.", hint=hint, id="trading.E003"))
    return found


@register(Tags.security)
def venue_agrees(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """E004, E005, E008, E009: live never speaks to a simulated exchange, production never runs the demo."""
    found: list[CheckMessage] = []
    if settings.ALGO_CONTROL_URL and settings.ALGO_VENUE == "live":
        hint = "Unset ALGO_CONTROL_URL for live trading, or set ALGO_VENUE=demo."
        found.append(Error("A live installation was given a simulated exchange's clock.", hint=hint, id="trading.E004"))
    if settings.PRODUCTION and settings.IS_DEMO:
        hint = "Unset ALGO_VENUE, or run the demo by `make run` without ALGO_ENV=production."
        found.append(Error("The demo was started with production settings.", hint=hint, id="trading.E005"))
    if settings.IS_PAPER and not all(getattr(settings, name) for name in PAPER_ADDRESSES):
        hint = f"Set {', '.join(PAPER_ADDRESSES)} as `run_exchange --live --json` announces them."
        found.append(Error("A paper installation was not told where its exchange is.", hint=hint, id="trading.E009"))
    if settings.PAPER_ROOT and urlsplit(settings.KITE_ROOT).netloc == urlsplit(settings.PAPER_ROOT).netloc:
        hint = "KITE_ROOT is the real broker's address, PAPER_ROOT the one that `run_exchange --live` announces."
        found.append(Error("Broker and paper exchange were given one address.", hint=hint, id="trading.E008"))
    return found


@register(Tags.security)
def nothing_of_the_tests(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """E010: what lets a test set the clock or kill the engine has no place in production."""
    found = [name for name in OF_TESTS if os.environ.get(name)]
    if not found or not settings.PRODUCTION:
        return []
    hint = f"Unset {', '.join(found)}."
    return [Error("A production installation was given a test's way to disturb it.", hint=hint, id="trading.E010")]


@register(Tags.security)
def hosts_are_named(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """E006: with * any page could open a client's WebSocket."""
    if "*" not in settings.ALLOWED_HOSTS:
        return []
    hint = "Name the hosts in ALLOWED_HOSTS; with * the Origin check of WebSockets lets every page in."
    return [Error("ALLOWED_HOSTS contains *.", hint=hint, id="trading.E006")]


@register(Tags.security)
def nonce_is_rendered(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """E007: without its middleware the policy, and with it every nonce, is silently absent."""
    if "csp.middleware.CSPMiddleware" in settings.MIDDLEWARE:
        return []
    hint = "Put csp.middleware.CSPMiddleware back into MIDDLEWARE."
    return [Error("Pages go out without a content security policy.", hint=hint, id="trading.E007")]


@register(Tags.database, deploy=True)
def production_database(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """W001: SQLite holds one writer at a time."""
    if settings.DATABASES["default"]["ENGINE"].endswith("postgresql"):
        return []
    hint = "Set DATABASE_URL=postgresql://user:password@host:port/name."
    return [Warning("Production runs on SQLite.", hint=hint, id="trading.W001")]


@register(Tags.security, deploy=True)
def mail_is_set_up(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """W002: sign-up and lost passwords need mail."""
    if settings.EMAIL_HOST != "localhost":
        return []
    hint = "Set MAIL_HOST, MAIL_PORT, MAIL_USER, MAIL_PASSWORD and MAIL_FROM."
    return [Warning("No mail server is named: nobody can sign up or reset a password.", hint=hint, id="trading.W002")]


def _is_installed(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True
