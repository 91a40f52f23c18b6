"""What one Kite account may read besides its orders: prices, candles, the instrument dump, its profile.

`KitePrices` cannot send an order: it has no method for it, and its wire refuses every call that is not a read. On
paper it is all that the real broker's account is used by. Nothing here logs a token, a header or a body.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

from trading.brokers.kite import parse
from trading.brokers.kite.errors import KiteAnswer, reading_error
from trading.brokers.kite.lane import Lane, Overdue
from trading.brokers.kite.pace import Pace
from trading.brokers.kite.wire import KiteWire, ReadingWire
from trading.domain.candles import Candle
from trading.domain.errors import BrokerUnavailable
from trading.domain.funds import BrokerProfile
from trading.domain.repricing import PriceQuote
from trading.domain.timezone import to_ist
from trading.ports import Clock

Answer = TypeVar("Answer")

CALL_DEADLINE_S = 4.0
TOO_MANY = 429
HISTORY_ATTEMPTS = 5
"""Other processes share the key's budget: a candle request that met its end waits a second and asks again."""
HISTORY_DEADLINE_S = 10.0
DUMP_DEADLINE_S = 60.0
MOST_PRICES_A_CALL = 250
"""Kite takes 1,000, but by GET: more than this makes an address longer than many servers read."""
QUOTE_EVERY_S, HISTORY_EVERY_S = 1.0, 0.36
"""Kite allows 1 quote and 3 historical requests a second (protocol notes, section 6)."""
READS_A_SECOND = 9
"""Kite allows 10 other requests a second, for order book, fills, positions and funds together."""


class KitePrices:
    """One account's reads. Raises what `ports.PriceHistory` says; close it when done.

    `account` is the stable key for names and logs. The blocking SDK lives in one thread; each call has
    a deadline in wire seconds for the whole of it.
    """

    def __init__(
        self,
        *,
        account: str,
        api_key: str,
        access_token: str,
        root: str,
        clock: Clock,
        egress_ip: str | None = None,
        call_deadline_s: float = CALL_DEADLINE_S,
    ) -> None:
        self.account = account
        self._deadline_s = call_deadline_s
        self._clock = clock

        def make() -> KiteWire:
            return ReadingWire(api_key, access_token, root=root, timeout_s=call_deadline_s, egress_ip=egress_ip)

        self._lane = Lane(account, make)
        self._quotes = Pace(clock, every_s=QUOTE_EVERY_S)
        self._history = Pace(clock, every_s=HISTORY_EVERY_S)
        self._others = Pace(clock, every_s=1.0, most=READS_A_SECOND)

    async def last_prices(self, instruments: Sequence[str]) -> dict[str, Decimal]:
        """Read last prices of `NSE:INFY` keys, at most one request a second. Unknown instruments are absent."""
        found: dict[str, Decimal] = {}
        for start in range(0, len(instruments), MOST_PRICES_A_CALL):
            asked = {"i": list(instruments[start : start + MOST_PRICES_A_CALL])}
            await self._quotes.wait()
            prices = await self._read(
                "last prices", partial(KiteWire.read, route="market.quote.ltp", params=asked), parse.parse_last_prices
            )
            found |= prices
        return found

    async def quotes(self, instruments: Sequence[str]) -> dict[str, PriceQuote]:
        """Read last price and circuit band, at most one request a second. Unknown instruments are absent."""
        found: dict[str, PriceQuote] = {}
        for start in range(0, len(instruments), MOST_PRICES_A_CALL):
            asked = {"i": list(instruments[start : start + MOST_PRICES_A_CALL])}
            await self._quotes.wait()
            read = partial(KiteWire.read, route="market.quote", params=asked)
            found |= await self._read("quotes", read, parse.parse_quotes)
        return found

    async def candles(self, token: int, start: datetime, end: datetime, interval: str) -> list[Candle]:
        """Read historical candles; `interval` is Kite's word (minute, 5minute, day). At most three requests a second.

        A request above the key's budget (429) is repeated a few times. Both moments are aware and belong to
        the span. Kite refuses spans above 60 days of minutes, 100 of 3 to 10 minutes, 200 of 15 and 30,
        400 of hours and 2,000 of days.
        """
        path = {"instrument_token": token, "interval": interval}
        query = {
            "from": f"{to_ist(start):%Y-%m-%d %H:%M:%S}",
            "to": f"{to_ist(end):%Y-%m-%d %H:%M:%S}",
            "interval": interval,
            "continuous": 0,
            "oi": 0,
        }
        for _ in range(HISTORY_ATTEMPTS - 1):
            try:
                return await self._history_once(path, query)
            except BrokerUnavailable as error:
                if error.status != TOO_MANY:
                    raise
            await self._clock.sleep(1.0)
        return await self._history_once(path, query)

    async def _history_once(self, path: dict[str, Any], query: dict[str, Any]) -> list[Candle]:
        await self._history.wait()
        return await self._read(
            f"candles of {path['instrument_token']}",
            lambda sdk: sdk.read("market.historical", url_args=path, params=query, timeout_s=HISTORY_DEADLINE_S),
            parse.parse_candles,
            deadline_s=HISTORY_DEADLINE_S,
        )

    async def instrument_dump(self) -> bytes:
        """Fetch the CSV of all instruments, unpacked from its transport. About 10 MB."""
        return await self._read(
            "instrument dump",
            lambda sdk: sdk.read("market.instruments.all", timeout_s=DUMP_DEADLINE_S),
            _csv,
            deadline_s=DUMP_DEADLINE_S,
        )

    async def profile(self) -> BrokerProfile:
        """Read whose account it is: the cheapest proof that the login stands."""
        return await self._read_soon("profile", lambda sdk: sdk.profile(), parse.parse_profile)

    async def close(self) -> None:
        """Let go of thread and connections."""
        self._lane.close()

    async def _read_soon(self, what: str, call: Callable[[KiteWire], Any], read: Callable[[Any], Answer]) -> Answer:
        """Read what is neither a price nor a candle, within the budget of those."""
        await self._others.wait()
        return await self._read(what, call, read)

    async def _read(
        self,
        what: str,
        call: Callable[[KiteWire], Any],
        read: Callable[[Any], Answer],
        *,
        deadline_s: float | None = None,
    ) -> Answer:
        try:
            return read(await self._lane.run(call, deadline_s=deadline_s or self._deadline_s))
        except KiteAnswer as answer:
            raise reading_error(answer, what) from None
        except Overdue as error:
            raise reading_error(KiteAnswer(str(error)), what) from None
        except (parse.ParseError, KeyError, TypeError, AttributeError) as error:
            raise reading_error(KiteAnswer(_words(error), is_unreadable=True), what) from None


def _csv(data: object) -> bytes:
    if not isinstance(data, bytes):
        raise parse.ParseError(f"a CSV was expected, was {type(data).__name__}")
    return data


def _words(error: Exception) -> str:
    """Give an error's text only where it is ours: the SDK's may carry anything."""
    return str(error) if isinstance(error, parse.ParseError) else f"unreadable answer ({type(error).__name__})"
