"""One account's order messages: an asynchronous socket of its own, text frames only, nothing subscribed.

Messages may come twice, late and in any order, and a lost connection loses some: the reader polls
whenever a connection was made (`OrderUpdate.order` is None).
"""

import asyncio
import logging
from collections.abc import AsyncGenerator

import aiohttp

from trading.brokers.kite.parse import ParseError, is_order_message, parse_order_frame
from trading.brokers.kite.sockets import CONNECT_WITHIN_S, SILENT_AFTER_S, Redial, SocketLogin
from trading.domain.errors import BrokerAuthError
from trading.domain.orders import BrokerOrder
from trading.ports import Clock, OrderUpdate

logger = logging.getLogger(__name__)


class OrderSocket:
    """The account's connection to the ticker address, for order messages. All times are wire seconds."""

    def __init__(self, login: SocketLogin, clock: Clock, *, silent_after_s: float = SILENT_AFTER_S) -> None:
        self._account = login.account
        self._credentials = {"api_key": login.api_key, "access_token": login.access_token}
        self._url = login.ws_root
        self._clock = clock
        self._silent_after_s = silent_after_s

    async def updates(self) -> AsyncGenerator[OrderUpdate, None]:
        """Yield messages for ever, reconnecting. Raises BrokerAuthError when the address answers 403."""
        redial = Redial()
        async with aiohttp.ClientSession(headers={"X-Kite-Version": "3"}) as session:
            while True:
                began = self._clock.monotonic()
                try:
                    async for update in self._connection(session):
                        yield update
                    reason = "closed"
                except (aiohttp.ClientError, OSError, TimeoutError) as error:
                    reason = self._judged(error)
                logger.warning("account=%s order socket lost: %s", self._account, reason)
                await self._clock.sleep(redial.wait_s(self._clock.monotonic() - began))

    async def _connection(self, session: aiohttp.ClientSession) -> AsyncGenerator[OrderUpdate, None]:
        """Yield one connection's messages, beginning with the empty one that says it was made."""
        async with asyncio.timeout(CONNECT_WITHIN_S):
            socket = await session.ws_connect(self._url, params=self._credentials, max_msg_size=0)
        async with socket:
            serial = 0
            yield OrderUpdate(order=None, serial=serial)
            while True:
                message = await socket.receive(timeout=self._silent_after_s)
                if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING):
                    return
                if message.type is aiohttp.WSMsgType.ERROR:
                    return
                if message.type is aiohttp.WSMsgType.TEXT and is_order_message(message.data):
                    serial += 1
                    yield OrderUpdate(order=self._read(message.data), serial=serial)

    def _read(self, frame: str) -> BrokerOrder | None:
        """Read a message; one that cannot be read becomes an order to poll."""
        try:
            return parse_order_frame(frame)
        except ParseError as error:
            logger.warning("account=%s order message: %s", self._account, error)
            return None

    def _judged(self, error: Exception) -> str:
        """Give words for a loss, without the address, which holds the token; raise when trying again cannot help."""
        if isinstance(error, aiohttp.WSServerHandshakeError) and error.status == 403:
            raise BrokerAuthError("the order socket refused the login", status=403) from None
        return type(error).__name__
