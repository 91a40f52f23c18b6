"""The way in for real prices: a web socket at `/prices` of the control port (docs/exchange/live-paper.md).

First a text message {"day", "now_ms", "instruments": [row, ...]}, later ones of the same kind name more instruments;
then binary messages of full packets (`kite.incoming`), at least one a second, empty ones too.
"""

import json
import logging
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, Final

from aiohttp import WSCloseCode, WSMsgType, web

from trading.domain.timezone import IST
from trading.exchange.kite.incoming import read_message, read_quote, token_of
from trading.exchange.live_time import LiveTime
from trading.exchange.market.live import LiveMarket
from trading.exchange.market.live_rows import RowFile, instrument_from

logger = logging.getLogger(__name__)

HEARTBEAT_S: Final = 10.0
LONGEST_MESSAGE: Final = 32 * 2**20
LONGEST_REASON: Final = 120
"""Bytes of a close frame's reason; RFC 6455 allows 123."""


class PriceDoor:
    """Takes prices from one feeder at a time: the newest one. `market` gives the market of the present day."""

    def __init__(
        self, market: Callable[[], LiveMarket], rows: RowFile, time: LiveTime, today: Callable[[], date]
    ) -> None:
        self._market = market
        self._rows = rows
        self._time = time
        self._today = today
        self._feeder: web.WebSocketResponse | None = None
        self._newest_ms = 0
        self._packets = 0
        self.stir: Callable[[], None] = _nothing

    @property
    def is_fed(self) -> bool:
        """Say whether a feeder is connected."""
        return self._feeder is not None

    def report(self) -> dict[str, Any]:
        """Say how the feed stands, for the clock's answer. `newest` is the exchange's time of the newest price."""
        newest = datetime.fromtimestamp(self._newest_ms / 1000, UTC).astimezone(IST)
        return {
            "connected": self.is_fed,
            "instruments": len(self._market().instruments),
            "packets": self._packets,
            "newest": newest.isoformat() if self._newest_ms else None,
        }

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one feeder until it goes, says what nobody understands, or a newer one comes."""
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=LONGEST_MESSAGE, compress=False)
        await socket.prepare(request)
        older, self._feeder = self._feeder, socket
        if older is not None:
            await older.close(code=WSCloseCode.GOING_AWAY, message=b"another feeder came")
        try:
            await self._read_all(socket)
        finally:
            if self._feeder is socket:
                self._feeder = None
                logger.warning("the feed of live prices is gone: nothing is filled until it is back")
        return socket

    async def _read_all(self, socket: web.WebSocketResponse) -> None:
        is_introduced = False
        async for message in socket:
            if self._feeder is not socket:
                return
            try:
                if message.type is WSMsgType.TEXT:
                    self.introduce(json.loads(message.data))
                    is_introduced = True
                elif message.type is WSMsgType.BINARY:
                    if not is_introduced:
                        raise ValueError("the first message must name the day and the instruments")
                    self.take(message.data)
            except ValueError as error:
                logger.warning("the feeder of live prices was refused: %s", error)
                reason = str(error).encode()[:LONGEST_REASON].decode(errors="ignore").encode()
                await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=reason)
                return

    def introduce(self, said: Any) -> None:
        """Take the day and the instruments in. Raises ValueError, and then nothing was changed."""
        if not isinstance(said, dict) or not isinstance(said.get("instruments"), list):
            raise ValueError("the first message must be an object with day, now_ms and a list of instruments")
        if type(said.get("now_ms")) is not int:
            raise ValueError(f"now_ms must be whole epoch milliseconds, was {said.get('now_ms')!r}")
        instruments = [instrument_from(row) for row in said["instruments"]]
        self._time.hear(said["now_ms"])
        today = self._today()
        if said.get("day") != today.isoformat():
            raise ValueError(f"the prices were of {said.get('day')}, today is {today} here")
        market = self._market()
        if market.learn(instruments):
            self._rows.write(market.instruments.values())
        self.stir()

    def take(self, message: bytes) -> None:
        """Take one batch of packets. Those of instruments that nobody named are passed by. Raises ValueError."""
        now_ms, packets = read_message(message)
        self._time.hear(now_ms)
        market = self._market()
        for packet in packets:
            instrument = market.instruments.get(token_of(packet))
            if instrument is None:
                continue
            quote = read_quote(packet, instrument, market.next_serial(instrument.token))
            market.take(quote)
            self._packets += 1
            self._newest_ms = max(self._newest_ms, quote.at_ms)
        self.stir()


def _nothing() -> None:
    """Stand in until somebody wants to be told."""
