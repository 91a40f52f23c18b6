"""Environment variables, read strictly: junk stops the process instead of becoming a default.

Every helper takes a name and a default; a variable that is set but empty counts as not set.
All raise ImproperlyConfigured with the variable's name and what would be right.
"""

import os
from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS = ("1", "true")
FALSE_WORDS = ("0", "false")
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")

Default = TypeVar("Default", str, None)


def text(name: str, default: Default) -> str | Default:
    """Give the variable without surrounding blanks, or the default."""
    return os.environ.get(name, "").strip() or default


def required(name: str, *, why: str) -> str:
    """Give a variable that must be set; `why` ends the sentence that says so."""
    value = text(name, None)
    if value is None:
        raise ImproperlyConfigured(f"{name} must be set: {why}")
    return value


def flag(name: str, *, default: bool) -> bool:
    """Read 1, true, 0 or false in any case. Anything else ("yes", "on") is refused."""
    value = text(name, None)
    if value is None:
        return default
    if value.lower() in TRUE_WORDS:
        return True
    if value.lower() in FALSE_WORDS:
        return False
    raise ImproperlyConfigured(f"{name} must be 1, 0, true or false, was {value!r}")


def integer(name: str, default: int, *, low: int, high: int) -> int:
    """Read a whole number from `low` to `high`, both allowed."""
    value = text(name, None)
    if value is None:
        return default
    try:
        number = int(value)
    except ValueError:
        number = None
    if number is None or not low <= number <= high:
        raise ImproperlyConfigured(f"{name} must be a whole number from {low} to {high}, was {value!r}")
    return number


def choice(name: str, default: str, options: Sequence[str]) -> str:
    """Read one of `options`, spelt exactly."""
    value = text(name, default)
    if value not in options:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(options)}, was {value!r}")
    return value


def words(name: str, default: Sequence[str]) -> list[str]:
    """Read a comma-separated list; an empty item is refused."""
    value = text(name, None)
    if value is None:
        return list(default)
    items = [item.strip() for item in value.split(",")]
    if not all(items):
        raise ImproperlyConfigured(f"{name} must be words between single commas, was {value!r}")
    return items


def url(name: str, default: Default, *, schemes: Sequence[str]) -> str | Default:
    """Read an address with one of `schemes`. The value itself is never shown: it may hold a password."""
    value = text(name, None)
    if value is None:
        return default
    scheme = urlsplit(value).scheme
    if scheme not in schemes or "://" not in value:
        raise ImproperlyConfigured(f"{name} must begin with {' or '.join(f'{s}://' for s in schemes)}")
    return value


def loopback_url(name: str, *, schemes: Sequence[str]) -> str:
    """Read an address on this machine, empty when it is not set. Any other host is refused."""
    value = url(name, "", schemes=schemes)
    if value and urlsplit(value).hostname not in LOOPBACK_HOSTS:
        raise ImproperlyConfigured(f"{name} must be an address on this machine (127.0.0.1)")
    return value
