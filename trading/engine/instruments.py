"""Which instrument a key means today, and its last price."""

from collections.abc import Iterable
from decimal import Decimal

from trading.domain.instruments import Instrument, InstrumentClass, InstrumentType, presumed_class
from trading.domain.money import from_scaled
from trading.domain.ticks import Tick
from trading.engine.ladder_book import LadderBook

OPTIONS = (InstrumentType.CE, InstrumentType.PE)


class Instruments:
    """The instruments of today's plans, with the book's last ticks. A price by REST stands in where no tick came."""

    def __init__(self, book: LadderBook) -> None:
        self._book = book
        self._by_key: dict[str, Instrument] = {}
        self._quoted: dict[str, tuple[Decimal, int]] = {}

    def add(self, instrument: Instrument) -> None:
        """Know an instrument by its key."""
        self._by_key[instrument.key] = instrument
        self._book.watch(instrument.token, is_wild=instrument.instrument_type in OPTIONS)

    def find(self, key: str) -> Instrument | None:
        """Give an instrument of today, None for a stranger."""
        return self._by_key.get(key)

    def all(self) -> Iterable[Instrument]:
        """Give every instrument of today's plans."""
        return self._by_key.values()

    def keys(self) -> list[str]:
        """Give the key of every instrument of today's plans."""
        return list(self._by_key)

    def key_of(self, token: int) -> str:
        """Give the key of a feed token, empty for a stranger."""
        return next((key for key, instrument in self._by_key.items() if instrument.token == token), "")

    def class_of(self, key: str) -> InstrumentClass:
        """Say which session rows apply, also to a stranger."""
        instrument = self._by_key.get(key)
        return instrument.instrument_class if instrument else presumed_class(key)

    def last_tick(self, key: str) -> Tick | None:
        """Give today's newest tick."""
        instrument = self._by_key.get(key)
        return self._book.last(instrument.token) if instrument else None

    def last_price(self, key: str) -> Decimal | None:
        """Give the last price in rupees: the newest tick's, or a quote's where that is newer."""
        tick, quoted = self.last_tick(key), self._quoted.get(key)
        if tick is not None and (quoted is None or quoted[1] <= tick.exchange_ts):
            return from_scaled(tick.ltp)
        return quoted[0] if quoted else None

    def quoted(self, key: str) -> Decimal | None:
        """Give the price that was last read by REST, whatever ticks came since; None when none was."""
        found = self._quoted.get(key)
        return found[0] if found else None

    def quote(self, prices: dict[str, Decimal], at: int = 0) -> None:
        """Keep prices read by REST at an epoch second; without one they stand in until a tick comes."""
        self._quoted.update({key: (price, at) for key, price in prices.items()})
