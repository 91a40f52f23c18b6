"""One account's orders on the wire: place, modify and cancel, asynchronous, the same bytes as the SDK's.

Reads stay with the SDK in its thread (`lane`); an order waits for none of them, and no account for another.
Each call has one deadline for the whole of it: connection, request and answer. A POST is never repeated;
a PUT or DELETE whose kept connection turned out to be closed goes out once more, as it says the same twice.
"""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urljoin

import aiohttp
from requests.utils import default_headers
from yarl import URL

from trading.brokers.kite.errors import KiteAnswer
from trading.brokers.kite.wire import KiteWire, read_answer

MOST_BYTES = 1_000_000
"""No answer to an order is nearly so long; what is longer is not read to its end."""
KEEP_CONNECTION_S = 60.0
DNS_HOLDS_S = 600
"""A name that was looked up serves so long: a failing resolver delays no exit."""


class OrderWire:
    """One account's order calls, each at once and beside the others. Raises KiteAnswer for every failure."""

    def __init__(
        self, api_key: str, access_token: str, *, root: str, deadline_s: float, egress_ip: str | None = None
    ) -> None:
        """`deadline_s` is wire seconds for a whole call; `egress_ip` the local address registered with the broker."""
        self._sdk = KiteWire(api_key, access_token, root=root, timeout_s=deadline_s)
        self._deadline_s = deadline_s
        self._egress_ip = egress_ip
        self._session: aiohttp.ClientSession | None = None

    async def place(self, params: Mapping[str, Any]) -> Any:
        """Send an order with the SDK's arguments (None is left out) and give the answer's data."""
        return await self._send("POST", "order.place", params, variety=params["variety"])

    async def modify(self, order_id: str, params: Mapping[str, Any]) -> Any:
        """Change an order to the SDK's arguments (None is left out) and give the answer's data."""
        body = {"variety": params["variety"], "order_id": order_id, **params}
        return await self._send("PUT", "order.modify", body, variety=params["variety"], order_id=order_id)

    async def cancel(self, variety: str, order_id: str) -> Any:
        """Ask for a cancel and give the answer's data."""
        return await self._send("DELETE", "order.cancel", {}, variety=variety, order_id=order_id)

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()

    async def _send(self, method: str, route: str, params: Mapping[str, Any], **path: str) -> Any:
        address = URL(urljoin(self._sdk.root, self._sdk._routes[route].format(**path)), encoded=True)
        body = urlencode({name: value for name, value in params.items() if value is not None}).encode()
        try:
            async with asyncio.timeout(self._deadline_s):
                return await self._exchange(method, address, body)
        except TimeoutError:
            raise KiteAnswer(f"no answer within {self._deadline_s:g} s") from None
        except aiohttp.ClientConnectorError as error:  # refused, a dead name, a certificate that is no good
            # A PUT or DELETE may have gone out before, by a kept connection; a POST goes out once.
            raise KiteAnswer(f"no connection ({type(error).__name__})", never_left=method == "POST") from None
        except (aiohttp.ClientError, OSError) as error:
            # The message of a client error can hold the address and headers: only its name is kept.
            raise KiteAnswer(f"no answer ({type(error).__name__})") from None

    async def _exchange(self, method: str, address: URL, body: bytes) -> Any:
        headers = self._headers(len(body))
        async with self._open_session().request(
            method, address, data=body or None, headers=headers, allow_redirects=False
        ) as answer:
            text = await _read_bounded(answer)
            return read_answer(answer.status, answer.headers.get("content-type", ""), text)

    def _headers(self, length: int) -> dict[str, str]:
        """Give what the SDK's HTTP client sends, in its order: its own headers, the SDK's, the body's."""
        headers = dict(default_headers()) | self._sdk.headers() | {"Content-Length": str(length)}
        return headers | ({"Content-Type": "application/x-www-form-urlencoded"} if length else {})

    def _open_session(self) -> aiohttp.ClientSession:
        """Give the session; it is made in the loop that calls, the first time somebody does."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0,
                    keepalive_timeout=KEEP_CONNECTION_S,
                    ttl_dns_cache=DNS_HOLDS_S,
                    local_addr=(self._egress_ip, 0) if self._egress_ip else None,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,  # proxies and .netrc would change the egress address or the Authorization header
                timeout=aiohttp.ClientTimeout(total=None),
            )
        return self._session


async def _read_bounded(answer: aiohttp.ClientResponse) -> bytes:
    text = bytearray()
    async for chunk in answer.content.iter_any():
        text += chunk
        if len(text) > MOST_BYTES:
            raise KiteAnswer(f"HTTP {answer.status} with more than {MOST_BYTES} bytes", status=answer.status)
    return bytes(text)
