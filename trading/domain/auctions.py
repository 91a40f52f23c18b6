"""Call auctions as dated rows: when order entry ends by chance, how far prices may go, who is served first.

The phases of an auction are session rows (`sessions.py`); what those do not say is in `data/auctions.csv`.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cache
from importlib.resources import files
from itertools import groupby

from trading.domain.instruments import InstrumentClass
from trading.domain.sessions import Phase, PhaseSpan, SessionHours

MATCHING = timedelta(minutes=2)
"""How long an auction is matched at most: from the end of order entry, where the rows do not say it."""
CLOSING_PHASES = frozenset({Phase.CAS_REFERENCE, Phase.CAS_ENTRY, Phase.CAS_LIMIT_ONLY, Phase.CAS_MATCHING})


class AuctionKind(StrEnum):
    """Which end of continuous trading an auction stands at."""

    OPENING = "opening"
    CLOSING = "closing"


_KINDS = {Phase.PRE_OPEN: AuctionKind.OPENING} | dict.fromkeys(CLOSING_PHASES, AuctionKind.CLOSING)


@dataclass(frozen=True, slots=True)
class AuctionRule:
    """One row. `random_end_s` is how many seconds before its last moment order entry may end.

    `band_percent` is how far from the reference price an order may be, None for the day's own limits;
    `reference_minutes` how much of continuous trading makes that price. `market_first` says whether market orders
    are served before limit orders. `status` as in `sessions.SessionRow`.
    """

    instrument_class: InstrumentClass
    valid_from: date
    valid_to: date | None
    kind: AuctionKind
    random_end_s: int = 0
    band_percent: Decimal | None = None
    reference_minutes: int = 0
    market_first: bool = True
    status: str = "confirmed"

    def holds_on(self, day: date) -> bool:
        """Say whether the row is in force on a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class CallAuction:
    """One auction of one instrument class on one day; all moments aware IST.

    Orders come in from `entry_start` until `entry_end` at the latest (before, the closing auction only makes its
    reference price); the match is from `match_start` up to `match_end`. `over` is when what was not matched goes on
    or lapses.
    """

    rule: AuctionRule
    start: datetime
    entry_start: datetime
    entry_end: datetime
    match_start: datetime
    match_end: datetime
    over: datetime

    @property
    def kind(self) -> AuctionKind:
        """Say which auction it is."""
        return self.rule.kind


def auctions_of(hours: SessionHours, rules: Iterable[AuctionRule] | None = None) -> tuple[CallAuction, ...]:
    """Give the auctions of a day, in order. Without a row an auction has no chance, no band of its own."""
    known = tuple(shipped_rules() if rules is None else rules)
    found = []
    for kind, spans in groupby(hours.phases, key=lambda span: _KINDS.get(span.phase)):
        if kind is not None:
            auction = _auction(_rule(hours, kind, known), tuple(spans))
            if auction is not None:
                found.append(auction)
    return tuple(found)


def _auction(rule: AuctionRule, spans: tuple[PhaseSpan, ...]) -> CallAuction | None:
    entry = [span for span in spans if span.order_types]
    if not entry:
        return None  # an index shows its opening value, nobody enters orders
    start, entry_start, entry_end, end = spans[0].start, entry[0].start, entry[-1].end, spans[-1].end
    if rule.kind is AuctionKind.OPENING:
        return CallAuction(rule, start, entry_start, entry_end, entry_end, min(entry_end + MATCHING, end), end)
    end = end if end > entry_end else entry_end + MATCHING
    return CallAuction(rule, start, entry_start, entry_end, entry_end, end, end)


def _rule(hours: SessionHours, kind: AuctionKind, rules: Iterable[AuctionRule]) -> AuctionRule:
    mine = (rule for rule in rules if rule.instrument_class is hours.instrument_class and rule.kind is kind)
    return next(
        (rule for rule in mine if rule.holds_on(hours.day)),
        AuctionRule(hours.instrument_class, hours.day, None, kind, status="assumed"),
    )


def parse_rules(records: Iterable[Mapping[str, str]]) -> tuple[AuctionRule, ...]:
    """Read rows as the data file spells them. Raises ValueError for an unknown word, KeyError for a missing column."""
    return tuple(
        AuctionRule(
            InstrumentClass(name),
            date.fromisoformat(record["valid_from"]),
            date.fromisoformat(record["valid_to"]) if record["valid_to"] else None,
            AuctionKind(record["auction"]),
            int(record["random_end_s"]),
            Decimal(record["band_percent"]) if record["band_percent"] else None,
            int(record["reference_minutes"] or 0),
            {"market": True, "limit": False}[record["priority"]],
            record["status"],
        )
        for record in records
        for name in record["instrument_classes"].split()
    )


@cache
def shipped_rules() -> tuple[AuctionRule, ...]:
    """Give the shipped rows, read once a process."""
    text = (files("trading.domain") / "data" / "auctions.csv").read_text(encoding="utf-8")
    return parse_rules(csv.DictReader(text.splitlines()))
