"""Alarms as data: what each code means, what to do about it and whom it is for (`data/alarms.toml`).

Standard library only, no clock. A code that has no row is told as a critical alarm to everybody concerned: an alarm
never fails on its words. `tests/architecture` finds codes that are raised without a row.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

TEST_CODE = "TEST_ALARM"
_BARE_NUMBER = re.compile(r"(?<![\w:.-])[-+]?\d[\d,.:]*(?![\w-])")


class Severity(StrEnum):
    """How much it matters. An undelivered critical alarm stops entries, and a critical one is acknowledged."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Tells(StrEnum):
    """Who gets an alarm. Operators get every one; BOTH adds the client whom it concerns, EVERYBODY all clients where it
    concerns the house."""

    BOTH = "both"
    EVERYBODY = "everybody"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class AlarmKind:
    """One row. `title` is what happened, `means` what it means for the money, `do` what a person does about it.

    `page` is the name of the page that helps, `button` the words of the link to it.
    """

    code: str
    severity: Severity
    tells: Tells
    title: str
    means: str
    do: str
    page: str
    button: str
    is_notice: bool = False
    """A change that its people are always mailed (ASVS 6.3.7), whatever they chose, though nobody need do anything."""


@cache
def alarm_kinds() -> Mapping[str, AlarmKind]:
    """Give the table, by code. Raises ValueError for a severity or an audience that there is none of."""
    rows = tomllib.loads(files("trading.domain").joinpath("data/alarms.toml").read_text(encoding="utf-8"))
    return {code: _kind(code, row) for code, row in rows.items()}


def kind_of(code: str) -> AlarmKind:
    """Give the row of a code; an unknown one is critical and for everybody concerned."""
    known = alarm_kinds().get(code)
    if known is not None:
        return known
    title = code.replace("_", " ").capitalize()
    means = "This alarm has no description yet, so it counts as critical."
    do = "Read its text, and look at the status and the positions."
    return AlarmKind(code, Severity.CRITICAL, Tells.BOTH, title, means, do, "status", "Status")


def cause_of(text: str) -> str:
    """Give what two alarms of one cause have in common: the text without its bare numbers (units, prices, times).

    Numbers inside a word stay: NIFTY26NOV25000CE and NIFTY26NOV25100CE are two causes.
    """
    return _BARE_NUMBER.sub("#", text)


def _kind(code: str, row: Mapping[str, str]) -> AlarmKind:
    words = {name: row[name] for name in ("title", "means", "do", "page", "button")}
    is_notice = row.get("notice", "") == "yes"
    return AlarmKind(code, Severity(row["severity"]), Tells(row["tells"]), **words, is_notice=is_notice)
