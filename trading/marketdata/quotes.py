"""Live prices for the pages: the newest of each instrument, a few times a second, never more."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from trading.domain.money import format_scaled, from_scaled, to_paisa
from trading.domain.ticks import Tick
from trading.ports import LivePublisher

EVERY_S = 0.25


class QuoteBoard:
    """Gathers ticks; `send` publishes one `quote` message for each instrument that moved since."""

    def __init__(self, publisher: LivePublisher) -> None:
        self._publisher = publisher
        self._names: Mapping[int, str] = {}
        self._moved: dict[int, Tick] = {}

    def rename(self, names: Mapping[int, str]) -> None:
        """Say which instrument (`NSE:INFY`) each token is; ticks of others are not sent."""
        self._names = names

    def take(self, ticks: Iterable[Tick]) -> None:
        """Note ticks; the newest of each token counts."""
        for tick in ticks:
            self._moved[tick.token] = tick

    def send(self) -> None:
        """Publish what moved, to everybody: who may see it is the pages' affair."""
        moved, self._moved = self._moved, {}
        for tick in moved.values():
            name = self._names.get(tick.token)
            if name is not None:
                self._publisher.publish(None, "quote", quote_message(name, tick))


def quote_message(name: str, tick: Tick) -> dict[str, Any]:
    """Give one quote for the pages; prices in rupees and the change in percent as strings, time in epoch ms."""
    return {
        "instrument": name,
        "ltp": format_scaled(tick.ltp),
        "open": format_scaled(tick.open),
        "high": format_scaled(tick.high),
        "low": format_scaled(tick.low),
        "close": format_scaled(tick.close),
        "change_percent": change_percent(tick),
        "volume": tick.volume,
        "at_ms": tick.exchange_ts * 1000,
    }


def change_percent(tick: Tick) -> str | None:
    """Give the move since yesterday's close in percent with two decimals; None where there is no close."""
    if tick.close <= 0:
        return None
    return str(to_paisa(from_scaled(tick.ltp - tick.close) * Decimal(100) / from_scaled(tick.close)))
