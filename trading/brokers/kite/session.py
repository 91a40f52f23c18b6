"""Signing in at Kite: the broker's own page, the token exchange, and the end of a session. Calls block."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from trading.brokers.kite.errors import KiteAnswer, reading_error
from trading.brokers.kite.wire import KiteWire
from trading.domain.errors import BrokerUnavailable

TIMEOUT_S = 7.0


@dataclass(frozen=True, slots=True)
class KiteGrant:
    """What the broker gives for a request token. `access_token` is a secret."""

    user_id: str
    access_token: str

    def __repr__(self) -> str:
        return f"KiteGrant(user_id={self.user_id!r})"


class KiteLogin:
    """The sign-in half of the API, for one account's keys. `login_uri` is the whole address of the sign-in page."""

    def __init__(self, *, api_key: str, api_secret: str, root: str, login_uri: str) -> None:
        self._secret = api_secret
        self._wire = KiteWire(api_key, None, root=root, timeout_s=TIMEOUT_S)
        self._wire._default_login_uri = login_uri

    def login_url(self, state: str) -> str:
        """Give the broker's sign-in page; `state` comes back as a parameter of the redirect."""
        return f"{self._wire.login_url()}&redirect_params={quote(urlencode({'state': state}), safe='')}"

    def exchange(self, request_token: str) -> KiteGrant:
        """Trade the one-use token for a session. Raises BrokerAuthError, BrokerRejected or BrokerUnavailable."""
        data = self._ask("sign-in", lambda: self._wire.generate_session(request_token, self._secret))
        try:
            return KiteGrant(str(data["user_id"]), str(data["access_token"]))
        except (KeyError, TypeError):
            raise BrokerUnavailable("sign-in: the answer had no user id or token") from None

    def revoke(self, access_token: str) -> None:
        """End a session at the broker. Raises the same; a session that is dead already raises BrokerAuthError."""
        self._ask("sign-out", lambda: self._wire.invalidate_access_token(access_token))

    def _ask(self, what: str, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except KiteAnswer as answer:
            raise reading_error(answer, what) from None
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            # The SDK reads fields that may be missing (login_time). The error's text could hold the token.
            raise BrokerUnavailable(f"{what}: the answer could not be read ({type(error).__name__})") from None
