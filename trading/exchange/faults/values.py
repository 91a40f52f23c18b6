"""Reads single values of a rule's JSON. Each raises ValueError: what was wrong, what would be right."""

import re
from datetime import time
from math import inf
from typing import Any, NamedTuple

LONGEST_S = 86_400.0
DAY_S = 86_400


class Window(NamedTuple):
    """A span of each market day, in seconds since midnight IST: from `begin`, before `end`."""

    begin: int
    end: int

    def told(self) -> dict[str, str]:
        """Give it as the control port takes it."""
        told = {"from": clock_text(self.begin)}
        return told if self.end >= DAY_S else told | {"until": clock_text(self.end)}


def parse_window(value: object) -> Window:
    """Read `"HH:MM:SS"`, the moment from which a rule holds, or {"from", "until"}."""
    span = {"from": value} if isinstance(value, str) else value
    if not isinstance(span, dict) or not span or not set(span) <= {"from", "until"}:
        raise ValueError(f'at must be "HH:MM:SS" or {{"from", "until"}}, was {value!r}')
    begin = _second(span["from"]) if span.get("from") is not None else 0
    end = _second(span["until"]) if span.get("until") is not None else DAY_S
    if begin >= end:
        raise ValueError(f"at must end after it begins, was {value!r}")
    return Window(begin, end)


def _second(value: object) -> int:
    try:
        moment = time.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is not None or moment.microsecond:
        raise ValueError(f"at must be HH:MM or HH:MM:SS of the market's day, was {value!r}")
    return moment.hour * 3600 + moment.minute * 60 + moment.second


def clock_text(second: int) -> str:
    """Give HH:MM:SS of a second of the day."""
    return f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def one_of(value: object, name: str, words: tuple[str, ...]) -> str:
    """Read one of some words."""
    if value not in words:
        raise ValueError(f"{name} must be one of {', '.join(words)}, was {value!r}")
    return str(value)


def number(value: object, name: str, *, least: float = 0, most: float = inf) -> float:
    """Read a number in a range."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        upto = "" if most == inf else f" to {most:g}"
        raise ValueError(f"{name} must be a number from {least:g}{upto}, was {value!r}")
    if value == inf:
        raise ValueError(f"{name} must be a number from {least:g}, was {value!r}")
    return float(value)


def whole(value: object, name: str, *, least: int = 0, most: float = inf) -> int:
    """Read a whole number in a range."""
    found = number(value, name, least=least, most=most)
    if not found.is_integer():
        raise ValueError(f"{name} must be a whole number, was {value!r}")
    return int(found)


def percentages(value: object, name: str) -> tuple[int, ...]:
    """Read a list of percentages, at least one."""
    if not isinstance(value, list) or not value or not all(type(one) is int and 0 <= one <= 100 for one in value):
        raise ValueError(f"{name} must be a list of percentages 0 to 100, was {value!r}")
    return tuple(value)


def header(value: object, name: str) -> str:
    """Read the text of one HTTP header."""
    text = str(value)
    if not re.fullmatch(r"[\x20-\x7e]+", text):
        raise ValueError(f"{name} must be the text of one header, was {text!r}")
    return text


def pattern(value: str, name: str) -> str:
    """Read a prefix, or a regular expression when it begins with `^`."""
    if value.startswith("^"):
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"{name} was no regular expression: {error}") from error
    return value


def matches(wanted: str, text: str) -> bool:
    """Say whether a text has this prefix, or fits this expression."""
    return bool(re.search(wanted, text)) if wanted.startswith("^") else text.startswith(wanted)


def told(value: Any) -> Any:
    """Give a parsed value as JSON has it."""
    if isinstance(value, Window):
        return value.told()
    return list(value) if isinstance(value, tuple) else value
