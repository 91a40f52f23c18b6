"""Trading hours as dated rows: which phase an instrument class is in, and what orders it takes then.

The rows are data (`data/sessions.csv`, `data/special_sessions.csv`), because exchanges change them: since
2026-08-03 stocks with derivatives end continuous trading at 15:15 for a closing auction.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from trading.domain.instruments import InstrumentClass
from trading.domain.orders import OrderType
from trading.domain.timezone import at_ist, to_ist


class Phase(StrEnum):
    """What the market of one instrument class is doing."""

    CLOSED = "closed"
    PRE_OPEN = "pre_open"
    CONTINUOUS = "continuous"
    CAS_REFERENCE = "cas_reference"
    """Closing auction: the reference price is computed, no order is taken."""
    CAS_ENTRY = "cas_entry"
    CAS_LIMIT_ONLY = "cas_limit_only"
    CAS_MATCHING = "cas_matching"
    POST_CLOSE = "post_close"


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One phase of one instrument class while the row is in force. Times are IST, `valid_to` is the last day.

    `status` is confirmed or single_source (to be asked before going live).
    """

    instrument_class: InstrumentClass
    valid_from: date
    valid_to: date | None
    phase: Phase
    start: time
    end: time
    order_types: frozenset[OrderType]
    status: str = "confirmed"
    source: str = ""

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"a {self.phase} row must end after its start {self.start}, was {self.end}")
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError(f"a {self.phase} row was valid from {self.valid_from} to {self.valid_to}")

    def holds_on(self, day: date) -> bool:
        """Say whether the row is in force on a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class PhaseSpan:
    """One phase of one day, from `start` up to but not including `end` (aware moments)."""

    phase: Phase
    start: datetime
    end: datetime
    order_types: frozenset[OrderType]


@dataclass(frozen=True, slots=True)
class SessionHours:
    """One instrument class on one day. Moments are aware IST.

    `parts` are the continuous stretches (two on a split Saturday), `open` and `continuous_end` their outer
    ends; `close` is when the last phase before the post-close session ends. `is_confirmed` is false where a
    row rests on a single source.
    """

    day: date
    instrument_class: InstrumentClass
    phases: tuple[PhaseSpan, ...]
    is_confirmed: bool

    @property
    def parts(self) -> tuple[tuple[datetime, datetime], ...]:
        """The continuous stretches in order."""
        return tuple((span.start, span.end) for span in self.phases if span.phase is Phase.CONTINUOUS)

    @property
    def pre_open_start(self) -> datetime | None:
        """When the first pre-open begins, None where there is none."""
        return next((span.start for span in self.phases if span.phase is Phase.PRE_OPEN), None)

    @property
    def open(self) -> datetime:
        """When continuous trading first begins."""
        return self.parts[0][0]

    @property
    def continuous_end(self) -> datetime:
        """When continuous trading ends for the day."""
        return self.parts[-1][1]

    @property
    def close(self) -> datetime:
        """When the last phase but the post-close session ends."""
        return max(span.end for span in self.phases if span.phase is not Phase.POST_CLOSE)

    @property
    def has_closing_auction(self) -> bool:
        """True where a closing auction follows continuous trading."""
        return any(span.phase is Phase.CAS_REFERENCE for span in self.phases)

    def at(self, moment: datetime) -> PhaseSpan | None:
        """Give the phase at a moment; None means closed."""
        local = to_ist(moment)  # moments of one zone are compared without asking it for its offset
        return next((span for span in self.phases if span.start <= local < span.end), None)


def hours_of(day: date, instrument_class: InstrumentClass, rows: Iterable[SessionRow]) -> SessionHours | None:
    """Put the rows of one day together; None when there is no continuous trading among them."""
    chosen = sorted(rows, key=lambda row: row.start)
    if not any(row.phase is Phase.CONTINUOUS for row in chosen):
        return None
    spans = tuple(PhaseSpan(row.phase, at_ist(day, row.start), at_ist(day, row.end), row.order_types) for row in chosen)
    return SessionHours(day, instrument_class, spans, all(row.status == "confirmed" for row in chosen))


def parse_rows(records: Iterable[Mapping[str, str]]) -> tuple[SessionRow, ...]:
    """Read session rows as the data files spell them: one record may name several instrument classes.

    Raises ValueError for an unknown word, an unreadable time or day, KeyError for a missing column.
    """
    return tuple(
        SessionRow(
            InstrumentClass(name),
            date.fromisoformat(record["valid_from"]),
            date.fromisoformat(record["valid_to"]) if record["valid_to"] else None,
            Phase(record["phase"]),
            time.fromisoformat(record["start"]),
            time.fromisoformat(record["end"]),
            frozenset(OrderType(word) for word in record["order_types"].split()),
            record["status"],
            record["source"],
        )
        for record in records
        for name in record["instrument_classes"].split()
    )
