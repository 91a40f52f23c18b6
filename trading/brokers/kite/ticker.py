"""KiteTicker with reconnecting of our own: one connection at a time, a watchdog on silence, a stop on 403.

The SDK's own switches do not work (`reconnect=False` is ignored, a dead token is retried for ever, a
silent socket counts as connected): protocol notes, section 7.4. Everything here runs on the loop that
Twisted's reactor shares (brokers/kite/reactor.py); no other thread may call it.
"""

import asyncio
import contextlib
import logging
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from trading.brokers.kite.packets import decode_frame, is_tick_frame, split_frame
from trading.brokers.kite.sdk import KiteTicker
from trading.brokers.kite.sockets import CONNECT_WITHIN_S, SILENT_AFTER_S, Redial, SocketLogin
from trading.domain.backoff import Backoff
from trading.domain.errors import BrokerAuthError
from trading.domain.ticks import Tick
from trading.ports import Clock

logger = logging.getLogger(__name__)

TOKENS_A_MESSAGE = 500
ASKS_AGAIN_AFTER_S, ASKS_AGAIN_AT_MOST_S = 5.0, 60.0
"""Wire seconds until an instrument that sent nothing on this connection is asked for again, twice as long each time:
the broker sends its last packet at once when it takes a subscription."""
FORBIDDEN = re.compile(r"\b403\b")

OnTicks = Callable[[Sequence[Tick]], None]
OnPackets = Callable[[Iterable[tuple[int, bytes]]], None]


class _OneConnection(KiteTicker):  # type: ignore[misc]
    """The SDK's ticker, good for one connection: it never dials again by itself."""

    def __init__(self, api_key: str, access_token: str, root: str) -> None:
        super().__init__(api_key, access_token, root=root, connect_timeout=CONNECT_WITHIN_S)
        self.on_lost: Callable[[str], None] = lambda reason: None

    def _create_connection(self, url: str, **kwargs: Any) -> None:
        super()._create_connection(url, **kwargs)
        # Twisted calls these two; the factory's own versions retry whatever `reconnect` said.
        self.factory.clientConnectionFailed = self._gone
        self.factory.clientConnectionLost = self._gone

    def _gone(self, connector: Any, reason: Any) -> None:
        self.on_lost(reason.type.__name__)

    def drop(self) -> None:
        """End the connection without waiting for the other side."""
        if self.ws is not None:
            self.ws.dropConnection(abort=True)


class KiteTickSource:
    """One account's market data. `on_ticks` gets each frame's ticks at once, then `on_packets` the same as they came.

    `frames` counts the tick frames of the present connection and `connection` the connections made;
    both are read by the rounds of a simulated market.
    """

    def __init__(
        self,
        login: SocketLogin,
        clock: Clock,
        *,
        on_ticks: OnTicks,
        on_packets: OnPackets | None = None,
        silent_after_s: float = SILENT_AFTER_S,
        asks_again_after_s: float = ASKS_AGAIN_AFTER_S,
        backoff: Backoff | None = None,
    ) -> None:
        self._login = login
        self._clock = clock
        self._on_ticks = on_ticks
        self._on_packets = on_packets
        self._silent_after_s = silent_after_s
        self._redial = Redial(backoff or Backoff())
        self._wanted: frozenset[int] = frozenset()
        self._ticker: _OneConnection | None = None
        self._heard_at = 0.0
        self._refused = False
        self._asks_again_after_s = asks_again_after_s
        self._asked_at = self._asks_next_s = 0.0
        self.unheard: set[int] = set()
        """Wanted instruments that sent nothing on the present connection."""
        self.frames = 0
        self.connection = 0
        self.is_connected = False
        self.has_prices = False
        self.moved = asyncio.Event()
        """Set at every frame, connection and loss; the waiter clears it."""

    @property
    def is_ready(self) -> bool:
        """True when connected and, if anything is subscribed, its first prices were heard."""
        return self.is_connected and (self.has_prices or not self._wanted)

    def want(self, tokens: Iterable[int]) -> None:
        """Subscribe to exactly these tokens, now and after every reconnect. May be called at any time."""
        wanted, before = frozenset(tokens), self._wanted
        self._wanted = wanted
        self.unheard = (self.unheard | (wanted - before)) & wanted
        if self._ticker is not None and self.is_connected:
            self._subscribe(wanted - before)
            for part in _parts(before - wanted):
                self._ticker.unsubscribe(part)

    async def run(self) -> None:
        """Stay connected until cancelled. Raises BrokerAuthError when the broker refuses the login (403)."""
        while True:
            began = self._clock.monotonic()
            await self._one_connection()
            if self._refused:
                raise BrokerAuthError("the ticker refused the login", status=403)
            await self._clock.sleep(self._redial.wait_s(self._clock.monotonic() - began))

    async def _one_connection(self) -> None:
        """Dial, and return when the connection is over: never made, lost, silent or cancelled."""
        ended = asyncio.Event()
        login = self._login
        ticker = self._ticker = _OneConnection(login.api_key, login.access_token, login.ws_root)
        ticker.on_open = self._opened
        ticker.on_message = self._heard
        ticker.on_close = self._closed
        ticker.on_lost = lambda reason: ended.set()
        self._refused = False
        self._heard_at = self._clock.monotonic()
        try:
            ticker.connect()
            await self._watch(ended)
        finally:
            self.is_connected = False
            self.moved.set()
            ticker.drop()
            ticker.on_message = ticker.on_close = None

    async def _watch(self, ended: asyncio.Event) -> None:
        while not ended.is_set():
            patience = self._silent_after_s if self.is_connected else CONNECT_WITHIN_S
            left = self._heard_at + patience - self._clock.monotonic()
            if left <= 0:
                logger.warning("account=%s ticker silent for %.0f s, connecting again", self._login.account, patience)
                return
            self._ask_again()
            with contextlib.suppress(TimeoutError):
                # Looked at again soon: with the connection made, the shorter patience begins to count.
                patience = min(left, self._silent_after_s / 2, self._asks_again_after_s)
                await asyncio.wait_for(ended.wait(), timeout=patience)

    def _opened(self, ticker: _OneConnection) -> None:
        self.frames = 0
        self.has_prices = False
        self.connection += 1
        self.is_connected = True
        self._heard_at = self._clock.monotonic()
        self.unheard = set(self._wanted)
        self._asked_at, self._asks_next_s = self._clock.monotonic(), self._asks_again_after_s
        self._subscribe(self._wanted)
        logger.info("account=%s ticker connected, %d instruments", self._login.account, len(self._wanted))
        self.moved.set()

    def _heard(self, ticker: _OneConnection, payload: bytes, is_binary: bool) -> None:  # noqa: FBT001 (the SDK's)
        self._heard_at = self._clock.monotonic()
        if is_binary and is_tick_frame(payload):
            self.frames += 1
            ticks = decode_frame(payload)
            if ticks:
                self.has_prices = True
                if self.unheard:
                    self.unheard.difference_update(tick.token for tick in ticks)
                self._on_ticks(ticks)
                if self._on_packets is not None:
                    self._on_packets(split_frame(payload))
            self.moved.set()

    def _ask_again(self) -> None:
        """Subscribe again what sent nothing: a connection is proved by the packets of every instrument."""
        now = self._clock.monotonic()
        if not (self.is_connected and self.unheard) or now - self._asked_at < self._asks_next_s:
            return
        self._asked_at, self._asks_next_s = now, min(2 * self._asks_next_s, ASKS_AGAIN_AT_MOST_S)
        logger.warning("account=%s %d instruments sent nothing yet", self._login.account, len(self.unheard))
        self._subscribe(self.unheard)

    def _closed(self, ticker: _OneConnection, code: int | None, reason: object) -> None:
        """The SDK's on_close; a refused upgrade arrives here as text only."""
        self._refused = not self.is_connected and FORBIDDEN.search(str(reason)) is not None

    def _subscribe(self, tokens: Iterable[int]) -> None:
        """Ask for full packets: only they carry the exchange's time. Repeating it changes nothing."""
        if self._ticker is not None:
            for part in _parts(tokens):
                self._ticker.subscribe(part)
                self._ticker.set_mode(KiteTicker.MODE_FULL, part)


def _parts(tokens: Iterable[int]) -> list[list[int]]:
    ordered = sorted(tokens)
    return [ordered[start : start + TOKENS_A_MESSAGE] for start in range(0, len(ordered), TOKENS_A_MESSAGE)]
