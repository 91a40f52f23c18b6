"""Generated days that are made once in a process: as many markets of one as tests want, each at its beginning."""

from copy import copy
from datetime import date
from functools import cache
from typing import Any

from trading.domain.calendar import MarketCalendar
from trading.exchange.days import DayChoice
from trading.exchange.market import Market
from trading.exchange.market.calendar_hours import CalendarHours
from trading.exchange.market.generated import GeneratedSource
from trading.exchange.market.state import InstrumentState
from trading.exchange.server import Exchange


class KnownMarket(Market):
    """A market of a day that was made before: its tapes are only read, and how far it has come is its own."""

    def _prepared(self) -> list[InstrumentState]:
        return [copy(state) for state in _beginning(self.day, self.seed)]


class ExchangeOfKnownDays(Exchange):
    """The exchange, but for how it comes to a generated day, which is most of what its start costs."""

    def _make_market(self, choice: DayChoice, calendar: MarketCalendar) -> Any:
        if choice.bars is not None:
            return super()._make_market(choice, calendar)
        return known_market(choice.day, choice.seed)


def known_market(day: date, seed: int) -> Market:
    """Give what `make_market` gives."""
    return KnownMarket(day, seed, _source(day, seed), CalendarHours())


@cache
def _source(day: date, seed: int) -> GeneratedSource:
    return GeneratedSource(day, seed, CalendarHours())


@cache
def _beginning(day: date, seed: int) -> list[InstrumentState]:
    """Give every instrument's state before the day; nobody moves these."""
    return Market(day, seed, _source(day, seed), CalendarHours())._prepared()
