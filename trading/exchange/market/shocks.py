"""Rare news of a night: prices open far away and come back over three weeks.

Nights of real markets have fat tails that a day's own draw has not: in 77 days of 2023 and 2024 NIFTY 50 opened 3.5 %
away once (0.3 % in the median), single stocks 4 to 9 %. How often news comes over a year is assumed. A shock fades,
so that the days outside its three weeks are what they would be without it.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple

from trading.exchange.market.randomness import seeded

MARKET_CHANCE: Final = 0.006
"""A day's chance of news for the whole market: one and a half a year."""
STOCK_CHANCE: Final = 0.003
MARKET_SIZE: Final = (0.018, 0.036)
STOCK_SIZE: Final = (0.03, 0.075)
FADE_DAYS: Final = 15
WORD: Final = "news"


class Shock(NamedTuple):
    """How far away a price opens: for the whole market, and for single stocks by token; fractions."""

    market: float
    stocks: dict[int, float]


class Shocks:
    """All days of a seed, in order. `tokens` are the stocks that may have news of their own."""

    def __init__(self, seed: int, days: Sequence[date], tokens: Sequence[int]) -> None:
        self._places = {day: place for place, day in enumerate(days)}
        self._shocks = [_drawn(seed, day, tokens) for day in days]

    def of(self, day: date) -> Shock:
        """Give the news of the night before a day."""
        return self._shocks[self._places[day]]

    def level(self, day: date, token: int, market: float) -> float:
        """Give what earlier news still does to a price with this loading on the market: a factor, 1 nearly always."""
        place, factor = self._places[day], 1.0
        for back in range(min(FADE_DAYS, place + 1)):
            shock = self._shocks[place - back]
            if shock.market or shock.stocks:
                left = 1 - back / FADE_DAYS
                factor *= (1 + market * shock.market * left) * (1 + shock.stocks.get(token, 0.0) * left)
        return factor


def _drawn(seed: int, day: date, tokens: Sequence[int]) -> Shock:
    rng = seeded(WORD, seed, day)
    market = _size(rng.random(), rng.random(), MARKET_CHANCE, MARKET_SIZE)
    stocks = {token: _size(rng.random(), rng.random(), STOCK_CHANCE, STOCK_SIZE) for token in tokens}
    return Shock(market, {token: size for token, size in stocks.items() if size})


def _size(happens: float, draw: float, chance: float, sizes: tuple[float, float]) -> float:
    """Give a signed size, 0 when nothing happens."""
    if happens >= chance:
        return 0.0
    least, most = sizes
    size = least + (most - least) * abs(2 * draw - 1)
    return size if draw < 0.5 else -size
