"""The day's sessions as the venue sees them: phases, call auctions and the chance that ends their order entry."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from trading.domain.auctions import AuctionKind, CallAuction, auctions_of
from trading.domain.calendar import MarketCalendar
from trading.domain.instruments import Instrument, InstrumentClass
from trading.domain.sessions import Phase, PhaseSpan, SessionHours
from trading.domain.timezone import ist_day
from trading.exchange.market.randomness import number_of

LEAD_WITH_PRE_OPEN = timedelta(minutes=2)
LEAD_WITHOUT = timedelta(minutes=5)
"""After-market orders end so long before the first session. Source: the broker's page (08:58 before the pre-open of
09:00, 09:10 for derivatives, which open at 09:15)."""


@dataclass(frozen=True, slots=True)
class Sessions:
    """Answers by the calendar's dated rows; `seed` decides when the order entry of an auction ends.

    Moments are aware. Every question is cheap: the calendar keeps the days it was asked for.
    """

    calendar: MarketCalendar
    seed: int
    _auctions: dict[tuple[InstrumentClass, date], tuple[CallAuction, ...]] = field(
        default_factory=dict, compare=False, repr=False
    )
    _last: dict[InstrumentClass, tuple[datetime, PhaseSpan | None]] = field(
        default_factory=dict, compare=False, repr=False
    )
    """The last answer: a step of the market asks the same many times."""

    def __call__(self, instrument: Instrument, moment: datetime) -> bool:
        """Say whether an instrument trades continuously."""
        span = self.at(instrument.instrument_class, moment)
        return span is not None and span.phase is Phase.CONTINUOUS and instrument.is_tradable

    def hours(self, instrument_class: InstrumentClass, day: date) -> SessionHours | None:
        """Give the hours of a day, None where the class does not trade."""
        return self.calendar.find_session(day, instrument_class)

    def at(self, instrument_class: InstrumentClass, moment: datetime) -> PhaseSpan | None:
        """Give the phase of a moment, without order types once chance has ended the entry; None means closed.

        Matching is a phase too where the rows have none for it.
        """
        last = self._last.get(instrument_class)
        if last is None or last[0] != moment:
            last = self._last[instrument_class] = (moment, self._at(instrument_class, moment))
        return last[1]

    def _at(self, instrument_class: InstrumentClass, moment: datetime) -> PhaseSpan | None:
        hours = self.hours(instrument_class, ist_day(moment))
        span = hours.at(moment) if hours else None
        if span is not None and not span.order_types:
            return span
        auction = self.auction(instrument_class, moment)
        if auction is None:
            return span
        if span is None:
            return PhaseSpan(Phase.CAS_MATCHING, auction.match_start, auction.over, frozenset())
        return replace(span, order_types=frozenset()) if moment >= self.entry_ends_at(auction) else span

    def auctions(self, instrument_class: InstrumentClass, day: date) -> tuple[CallAuction, ...]:
        """Give the day's call auctions."""
        key = (instrument_class, day)
        if key not in self._auctions:
            hours = self.hours(instrument_class, day)
            self._auctions[key] = auctions_of(hours) if hours else ()
        return self._auctions[key]

    def auction(self, instrument_class: InstrumentClass, moment: datetime) -> CallAuction | None:
        """Give the auction that runs at a moment: from its first order to its end."""
        every = self.auctions(instrument_class, ist_day(moment))
        return next((one for one in every if one.start <= moment < one.over), None)

    def last_matched(self, instrument_class: InstrumentClass, moment: datetime) -> CallAuction | None:
        """Give the day's latest auction whose match has begun."""
        begun = [one for one in self.auctions(instrument_class, ist_day(moment)) if one.match_start <= moment]
        return begun[-1] if begun else None

    def entry_ends_at(self, auction: CallAuction) -> datetime:
        """Give the moment at which order entry ends: one for all instruments, by the day's chance."""
        width = auction.rule.random_end_s
        if not width:
            return auction.entry_end
        drawn = number_of("entry end", self.seed, auction.start.isoformat(), auction.kind) % width
        return auction.entry_end - timedelta(seconds=drawn)

    def after_market_from(self, instrument_class: InstrumentClass, day: date) -> datetime | None:
        """Give when a day's after-market orders begin: with the end of its last session. None on a holiday."""
        hours = self.hours(instrument_class, day)
        return max(span.end for span in hours.phases) if hours else None

    def after_market_until(self, instrument_class: InstrumentClass, day: date) -> datetime | None:
        """Give when the after-market orders of the night before a day end. None on a holiday."""
        hours = self.hours(instrument_class, day)
        if hours is None:
            return None
        first = hours.phases[0]
        return first.start - (LEAD_WITHOUT if first.phase is Phase.CONTINUOUS else LEAD_WITH_PRE_OPEN)

    def edges(self, day: date, classes: Iterable[InstrumentClass] = InstrumentClass) -> set[datetime]:
        """Give every moment of a day at which an auction's entry or match ends."""
        auctions = [one for each in classes for one in self.auctions(each, day)]
        return {edge for one in auctions for edge in (self.entry_ends_at(one), one.match_end, one.over)}


def is_closing(auction: CallAuction | None) -> bool:
    """Say whether it is the closing auction."""
    return auction is not None and auction.kind is AuctionKind.CLOSING
