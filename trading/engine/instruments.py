"""Which instrument a key means today, and its last price."""

from decimal import Decimal

from trading.domain.instruments import Instrument
from trading.domain.money import from_scaled
from trading.domain.ticks import Tick
from trading.engine.ladder_book import LadderBook


class Instruments:
    """The instruments of today's plans, with the book's last ticks. A price by REST stands in where no tick came."""

    def __init__(self, book: LadderBook) -> None:
        self._book = book
        self._by_key: dict[str, Instrument] = {}
        self._quoted: dict[str, Decimal] = {}

    def add(self, instrument: Instrument) -> None:
        """Know an instrument by its key."""
        self._by_key[instrument.key] = instrument
        self._book.watch([instrument.token])

    def find(self, key: str) -> Instrument | None:
        """Give an instrument of today, None for a stranger."""
        return self._by_key.get(key)

    def last_tick(self, key: str) -> Tick | None:
        """Give today's newest tick."""
        instrument = self._by_key.get(key)
        return self._book.last(instrument.token) if instrument else None

    def last_price(self, key: str) -> Decimal | None:
        """Give the last price in rupees: the newest tick's, else a quote's."""
        tick = self.last_tick(key)
        return from_scaled(tick.ltp) if tick else self._quoted.get(key)

    def quote(self, prices: dict[str, Decimal]) -> None:
        """Keep prices read by REST."""
        self._quoted.update(prices)
