"""The SDK with its response handling replaced, so that the broker's own error words survive.

kiteconnect 5.2.2 turns unknown error types (margin, holding, two-factor) into one class, breaks on a
missing content type, a missing `data` or `message` or a list at the root, and puts whole bodies into its
messages. Everything else of it (routes, parameters, checksum) is used as it is.
"""

import json
from functools import partial
from typing import Any
from urllib.parse import urljoin

import requests
from requests.adapters import HTTPAdapter

from trading.brokers.kite.errors import KiteAnswer
from trading.brokers.kite.sdk import KiteConnect

CONNECT_WITHIN_S = 2.0


class _FromAddress(HTTPAdapter):
    """Sends from one local address: the one that is registered with the broker."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, source_address=(self._address, 0), **kwargs)


class KiteWire(KiteConnect):  # type: ignore[misc]
    """One account's REST calls. Not safe for several threads at once; raises KiteAnswer for every failure."""

    timeout: float

    def __init__(
        self, api_key: str, access_token: str | None, *, root: str, timeout_s: float, egress_ip: str | None = None
    ) -> None:
        super().__init__(api_key, access_token=access_token, root=root, timeout=timeout_s)
        # Proxies and .netrc of the environment would change the egress address or the Authorization header.
        self.reqsession.trust_env = False
        if egress_ip:
            for scheme in ("http://", "https://"):
                self.reqsession.mount(scheme, _FromAddress(egress_ip))

    def read(
        self,
        route: str,
        *,
        url_args: dict[str, Any] | None = None,
        params: dict[str, Any] | None = None,
        timeout_s: float | None = None,
    ) -> Any:
        """GET one of the SDK's routes and give `data` as it came, without the SDK's formatting."""
        usual = self.timeout
        self.timeout = timeout_s or usual
        try:
            return self._get(route, url_args=url_args, params=params)
        finally:
            self.timeout = usual

    def _request(
        self,
        route: str,
        method: str,
        url_args: dict[str, Any] | None = None,
        params: Any = None,
        is_json: bool = False,  # noqa: FBT001, FBT002 (the SDK's signature)
        query_params: dict[str, Any] | None = None,
    ) -> Any:
        """Send one request and give the answer's `data`, or the bytes of a CSV. Never retries."""
        in_query = method in ("GET", "DELETE")
        try:
            answer = self.reqsession.request(
                method,
                urljoin(self.root, self._routes[route].format(**(url_args or {}))),
                json=params if is_json and not in_query else None,
                data=params if not is_json and not in_query else None,
                params=params if in_query else query_params,
                headers=self.headers(),
                allow_redirects=False,
                timeout=(min(CONNECT_WITHIN_S, self.timeout), self.timeout),
            )
        except requests.RequestException as error:
            # The message of a requests error can hold an address with a token in its query: only its name is kept.
            raise KiteAnswer(f"no answer ({type(error).__name__})") from None
        return read_answer(answer.status_code, answer.headers.get("content-type", ""), answer.content)

    def headers(self) -> dict[str, str]:
        """Give what every call says about its sender, in the SDK's order."""
        headers = {"X-Kite-Version": self.kite_header_version, "User-Agent": self._user_agent()}
        if self.api_key and self.access_token:
            headers["Authorization"] = f"token {self.api_key}:{self.access_token}"
        return headers


class ReadingWire(KiteWire):
    """Sends reads only: whatever would place, change or end something never leaves this machine."""

    def _request(self, route: str, method: str, *args: Any, **kwargs: Any) -> Any:
        """Send a GET. Raises TypeError for every other method, before anything is sent."""
        if method != "GET":
            raise TypeError(f"{method} {route} was asked of an account that only reads prices")
        return super()._request(route, method, *args, **kwargs)


def read_answer(status: int, kind: str, text: bytes) -> Any:
    """Give `data` of a success envelope or the bytes of a CSV; raises KiteAnswer for everything else.

    `kind` is the content type, empty when there was none.
    """
    odd = partial(KiteAnswer, status=status, is_unreadable=status < 300)
    if "csv" in kind and status == 200:
        return text
    if "json" not in kind:
        raise odd(f"HTTP {status} with content type {kind or 'missing'}")
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        raise odd(f"HTTP {status} with JSON that could not be read") from None
    if not isinstance(body, dict):
        raise odd(f"HTTP {status} with a {type(body).__name__} for a body")
    error_type = body.get("error_type")
    if body.get("status") == "error" or error_type or status >= 300:
        raise KiteAnswer(str(body.get("message") or f"HTTP {status}"), status=status, error_type=str(error_type or ""))
    if "data" not in body:
        raise odd(f"HTTP {status} without data")
    return body["data"]
