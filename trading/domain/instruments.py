"""What is traded. Symbols are the broker's spelling (`NSE:INFY`)."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


class InstrumentType(StrEnum):
    """Kite's instrument_type words, plus INDEX for rows of the INDICES segment."""

    EQ = "EQ"
    FUT = "FUT"
    CE = "CE"
    PE = "PE"
    INDEX = "INDEX"


class InstrumentClass(StrEnum):
    """What a session row is written for."""

    EQUITY_CAS = "equity_cas"
    """A stock with derivatives: it has a closing auction while such a rule is in force."""
    EQUITY = "equity"
    DERIVATIVE = "derivative"
    INDEX = "index"


EQUITY_EXCHANGES = frozenset({"NSE", "BSE"})


def presumed_class(key: str) -> InstrumentClass:
    """Give the class to act by for an instrument that nobody described, as `NSE:SBIN` in a client's own trade.

    An equity counts as one with a closing auction: its session ends first, so acting by it is never too late.
    """
    is_equity = key.partition(":")[0] in EQUITY_EXCHANGES
    return InstrumentClass.EQUITY_CAS if is_equity else InstrumentClass.DERIVATIVE


@dataclass(frozen=True, slots=True)
class Instrument:
    """One row of a broker's instrument dump, in our words.

    `token` is the broker's feed token, `tick_size` rupees, `lot_size` units.
    `has_derivatives` is true for a stock that also trades as a future or option.
    """

    exchange: str
    tradingsymbol: str
    token: int
    tick_size: Decimal
    lot_size: int
    instrument_type: InstrumentType = InstrumentType.EQ
    segment: str = "NSE"
    name: str = ""
    expiry: date | None = None
    strike: Decimal = Decimal(0)
    has_derivatives: bool = False

    @property
    def key(self) -> str:
        """Give the broker's spelling `EXCHANGE:TRADINGSYMBOL`, unique within a day."""
        return f"{self.exchange}:{self.tradingsymbol}"

    @property
    def instrument_class(self) -> InstrumentClass:
        """Say which session rows apply."""
        if self.instrument_type is InstrumentType.INDEX:
            return InstrumentClass.INDEX
        if self.instrument_type is not InstrumentType.EQ:
            return InstrumentClass.DERIVATIVE
        return InstrumentClass.EQUITY_CAS if self.has_derivatives else InstrumentClass.EQUITY

    @property
    def is_tradable(self) -> bool:
        """An index can give a range, never a position."""
        return self.instrument_type is not InstrumentType.INDEX
