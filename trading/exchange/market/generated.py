"""The bundled market: a seeded, calibrated chain of days for about ten shares and two indices.

A day's minutes are made when somebody looks at that day: yesterday's range costs one day of minutes, never a chain
of ticks. Only the minutes last looked at are kept (years of them would fill gigabytes), of each day one bar.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache
from math import sqrt
from typing import Final

from trading.domain.instruments import InstrumentClass
from trading.exchange.market.bar import Bar, merged
from trading.exchange.market.daychain import DayChain
from trading.exchange.market.hours import DayHours, Hours
from trading.exchange.market.listing import PROFILES, Listing, Profile
from trading.exchange.market.minutes import course_of, factor_path, stock_bars
from trading.exchange.market.randomness import seeded

FIRST_DAY: Final = date(2023, 7, 3)
"""The chain begins here, half a year before the first dated session row, whatever day is traded."""
MOST_KEPT_DAYS: Final = 256
"""Days of one instrument whose minutes are kept, about 0.1 MB each."""
MOST_KEPT_FACTORS: Final = 64


class GeneratedSource:
    """Implements `source.Source` for one seed, up to the traded day."""

    def __init__(self, day: date, seed: int, calendar: Hours, profiles: Sequence[Profile] = PROFILES) -> None:
        if not calendar.has_session(day):
            raise ValueError(f"{day:%A} {day} is no trading day of the calendar; choose a trading day")
        self.listings: Sequence[Listing] = [profile.listing for profile in profiles]
        self._seed = seed
        self._calendar = calendar
        self._profiles = {profile.listing.token: profile for profile in profiles}
        span = (FIRST_DAY + timedelta(days=count) for count in range((day - FIRST_DAY).days + 1))
        self._days = [each for each in span if each == day or calendar.may_trade(each)]
        self._chain = DayChain(profiles, seed, self._days)
        self._factors = lru_cache(MOST_KEPT_FACTORS)(self._make_factors)
        self._minutes = lru_cache(MOST_KEPT_DAYS)(self._make)
        self._whole_days: dict[tuple[int, date], Bar] = {}

    def days_until(self, day: date) -> list[date]:
        """Give the trading days from the start of the chain up to and with `day`."""
        return [each for each in self._days if each <= day]

    def hours(self, day: date, instrument_class: InstrumentClass) -> DayHours:
        """Give the session of that date by the calendar."""
        return self._calendar.day_hours(day, instrument_class)

    def previous_close(self, token: int, day: date) -> int:
        """Give the close of the trading day before."""
        return self._chain[day].instruments[token].previous_close

    def bars(self, token: int, day: date) -> tuple[Bar, ...]:
        """Give one day's minutes, the same each time. Raises KeyError for a day outside the chain."""
        return self._minutes(token, day)

    def whole_day(self, token: int, day: date) -> Bar | None:
        """Give the one bar of a day; its minutes are not kept."""
        key = (token, day)
        if key not in self._whole_days:
            self._whole_days[key] = merged(self._make(token, day))
        return self._whole_days[key]

    def _make(self, token: int, day: date) -> tuple[Bar, ...]:
        profile, plan = self._profiles[token], self._chain[day]
        part = plan.instruments[token]
        hours = self.hours(day, profile.listing.instrument.instrument_class)
        factors = self._factors(day)
        common = [
            profile.market * market + profile.bank * bank
            for market, bank in (factors[start] for start in hours.minutes())
        ]
        noise = sqrt(
            (profile.market * plan.market.noise) ** 2 + (profile.bank * plan.bank.noise) ** 2 + part.own.noise**2
        )
        return stock_bars(seeded("minutes", self._seed, day, token), profile, part, common, noise, hours)

    def _make_factors(self, day: date) -> dict[int, tuple[float, float]]:
        """Give the moves of market and banks by minute, over every minute at which anything trades."""
        plan = self._chain[day]
        classes = {listing.instrument.instrument_class for listing in self.listings}
        minutes = sorted({start for each in classes for start in self.hours(day, each).minutes()})
        course = course_of(minutes)
        rng = seeded("factors", self._seed, day)
        market = factor_path(rng, plan.market, course, plan.market.body).moves
        bank = factor_path(rng, plan.bank, course, plan.bank.body).moves
        return dict(zip(minutes, zip(market, bank, strict=True), strict=True))
