"""An account's historical data that a test fills."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from trading.domain.candles import Candle
from trading.domain.errors import BrokerAuthError, BrokerUnavailable


def candle(start: datetime, high: str, low: str, volume: int = 100) -> Candle:
    """Make a candle that opens at its low and closes at its high."""
    return Candle(start, Decimal(low), Decimal(high), Decimal(low), Decimal(high), volume)


class FakeHistory:
    """Minute candles by token; `asked` keeps (token, start, end). Reading fails while it is told to."""

    def __init__(self) -> None:
        self.by_token: dict[int, list[Candle]] = {}
        self.asked: list[tuple[int, datetime, datetime]] = []
        self.is_readable = True
        self.has_session = True
        self.closed = 0
        self.before_answer: Callable[[], None] = lambda: None

    async def candles(self, token: int, start: datetime, end: datetime, interval: str) -> list[Candle]:
        assert interval == "minute"
        self.asked.append((token, start, end))
        self.before_answer()
        if not self.has_session:
            raise BrokerAuthError("Incorrect `api_key` or `access_token`.", status=403)
        if not self.is_readable:
            raise BrokerUnavailable("gateway timeout", status=504)
        return [one for one in self.by_token.get(token, []) if start <= one.start <= end]

    async def close(self) -> None:
        self.closed += 1
