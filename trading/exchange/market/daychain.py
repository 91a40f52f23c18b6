"""The chain of days: where each instrument opens and closes, from a fixed first day on.

The chain is anchored, so that a day is the same whether it is traded today or looked back at tomorrow.
It holds no highs and lows: these come out of the day's minutes (`minutes`), made only for a day that is asked for.
"""

from collections.abc import Sequence
from datetime import date
from random import Random
from typing import Final, NamedTuple

from trading.exchange.market.data.calibration import DAY_WIDTH
from trading.exchange.market.listing import OPERATING_BAND_PERCENT, Profile
from trading.exchange.market.randomness import bell, between, fat_bell, seeded
from trading.exchange.market.shocks import Shocks

MARKET_GAP: Final = 0.0030
MARKET_DAY: Final = 0.0053
BANK_GAP: Final = 0.0016
BANK_DAY: Final = 0.0033
PULL_TO_BASE: Final = 0.02
"""The share of the distance to its base price that an instrument makes good overnight: prices stay recognisable."""
USUAL_WIDTH: Final = 1.07
"""Brings the mean square of a day's noise to what was measured: widths are relative to the median."""


class DayKind(NamedTuple):
    """A type of day: how far it goes from open to close, how much it swings, how far it first goes the wrong way."""

    share: float
    body: float
    noise: float
    swing: float


TREND: Final = DayKind(0.20, 1.70, 0.80, 0.0)
ORDINARY: Final = DayKind(0.35, 1.00, 1.00, 0.0)
RANGE: Final = DayKind(0.30, 0.40, 0.95, 0.0)
REVERSAL: Final = DayKind(0.15, 0.70, 0.85, 0.9)
DAY_KINDS: Final = (TREND, ORDINARY, RANGE, REVERSAL)


class Stretch(NamedTuple):
    """One source of movement over one day: overnight gap, way from open to close, swings in between; fractions."""

    gap: float
    body: float
    noise: float
    swing: float


class InstrumentDay(NamedTuple):
    """One instrument's part of a day. Prices are 1/10,000 rupee on the price grid."""

    own: Stretch
    previous_close: int
    open: int
    close: int


class DayPlan(NamedTuple):
    """All that was drawn for a day before its minutes."""

    market: Stretch
    bank: Stretch
    instruments: dict[int, InstrumentDay]


class DayChain:
    """Plans every trading day once, in order."""

    def __init__(self, profiles: Sequence[Profile], seed: int, days: Sequence[date]) -> None:
        self._plans: dict[date, DayPlan] = {}
        stocks = [profile.listing.token for profile in profiles if not profile.listing.is_index]
        self.shocks = Shocks(seed, days, stocks)
        markets = {profile.listing.token: profile.market for profile in profiles}
        steps = {profile.listing.token: profile.listing.step for profile in profiles}
        before = dict.fromkeys(markets, 1.0)
        closes = {profile.listing.token: snap(profile.base_price, profile.listing.step) for profile in profiles}
        for day in days:
            plan = _plan(profiles, seeded("day", seed, day), closes)
            closes = {token: part.close for token, part in plan.instruments.items()}
            now = {token: self.shocks.level(day, token, market) for token, market in markets.items()}
            lifted = {
                token: _lifted(part, before[token], now[token], steps[token])
                for token, part in plan.instruments.items()
            }
            self._plans[day] = plan._replace(instruments=lifted)
            before = now

    def __getitem__(self, day: date) -> DayPlan:
        return self._plans[day]


def _lifted(part: InstrumentDay, before: float, now: float, step: int) -> InstrumentDay:
    """Put what news did on top of a day: on the close before it, and on the day itself."""
    if before == now == 1.0:
        return part
    return part._replace(
        previous_close=snap(part.previous_close * before, step),
        open=snap(part.open * now, step),
        close=snap(part.close * now, step),
    )


def snap(price: float, step: int) -> int:
    """Round to the nearest price of the grid, a tie upwards."""
    return int(price / step + 0.5) * step


def _plan(profiles: Sequence[Profile], rng: Random, closes: dict[int, int]) -> DayPlan:
    market = _stretch(rng, MARKET_GAP, MARKET_DAY)
    bank = _stretch(rng, BANK_GAP, BANK_DAY)
    parts = {}
    for profile in profiles:
        own = _stretch(rng, profile.own_gap, profile.own_day)
        parts[profile.listing.token] = _instrument_day(profile, market, bank, own, closes[profile.listing.token])
    return DayPlan(market, bank, parts)


def _stretch(rng: Random, gap: float, day: float) -> Stretch:
    kind = _kind(rng.random())
    noise = day * kind.noise * between(rng, DAY_WIDTH) / USUAL_WIDTH
    body = bell(rng) * kind.body * noise / kind.noise
    swing = -kind.swing * noise if body > 0 else kind.swing * noise
    return Stretch(gap * fat_bell(rng), body, noise, swing)


def _kind(chance: float) -> DayKind:
    for kind in DAY_KINDS[:-1]:
        if chance < kind.share:
            return kind
        chance -= kind.share
    return DAY_KINDS[-1]


def _instrument_day(profile: Profile, market: Stretch, bank: Stretch, own: Stretch, before: int) -> InstrumentDay:
    step = profile.listing.step
    pull = PULL_TO_BASE * (1 - before / profile.base_price)
    gap = profile.market * market.gap + profile.bank * bank.gap + own.gap + pull
    body = profile.market * market.body + profile.bank * bank.body + own.body
    lowest, highest = _room(profile, before)
    opened = snap(min(max(before * (1 + gap), lowest), highest), step)
    closed = snap(min(max(opened * (1 + body), lowest), highest), step)
    return InstrumentDay(own, before, opened, closed)


def _room(profile: Profile, before: int) -> tuple[float, float]:
    """Keep opens and closes inside nine tenths of the band, so that a day can move around them."""
    listing = profile.listing
    percent = listing.band_percent if listing.has_fixed_band else OPERATING_BAND_PERCENT
    share = percent * 0.009
    return before * (1 - share), before * (1 + share)
