"""Logins: one-time request tokens, access tokens, and when they die.

A request token lives five minutes of wire time and is used once. An access token is valid until 06:00 IST of the
next market day, until logout, or until the same user logs in to the same app again.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest

from trading.exchange.venue import refusals
from trading.exchange.venue.marketclock import next_token_flush_ms
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.users import User

REQUEST_TOKEN_LIVES_S = 300.0


@dataclass(frozen=True, slots=True)
class Session:
    """One login. Times are market epoch milliseconds."""

    access_token: str
    user_id: str
    api_key: str
    login_ms: int
    expires_ms: int


class Access:
    """Who is logged in. `changed` is set when sessions have to be written to disk."""

    def __init__(
        self, users: Mapping[str, User], *, now_ms: Callable[[], int], monotonic: Callable[[], float], seed: str
    ) -> None:
        self._users = users
        self._apps = {user.api_key: user for user in users.values()}
        self._now_ms = now_ms
        self._monotonic = monotonic
        self._seed = seed
        self._request_tokens: dict[str, tuple[str, str, float]] = {}
        self._sessions: dict[str, Session] = {}
        self.changed = False

    def app_of(self, api_key: str) -> User | None:
        """Give the user whose app has this key."""
        return self._apps.get(api_key)

    def totp_hint(self) -> str:
        """Give the six digits that the login page shows and expects; the same for every user of this exchange."""
        return f"{int(sha256(f'{self._seed}|totp'.encode()).hexdigest(), 16) % 1_000_000:06d}"

    def request_token(self, user_id: str, password: str, totp: str, api_key: str) -> str | None:
        """Check a login and give a one-time request token, or None when something is wrong."""
        user = self._users.get(user_id.strip().upper())
        if user is None or api_key not in self._apps:
            return None
        is_right = compare_digest(password.encode(), user.password.encode())
        if not is_right or not compare_digest(totp.strip().encode(), self.totp_hint().encode()):
            return None
        token = secrets.token_hex(16)
        self._request_tokens[token] = (user.user_id, api_key, self._monotonic() + REQUEST_TOKEN_LIVES_S)
        return token

    def exchange(self, api_key: str, request_token: str, checksum: str) -> Session:
        """Turn a request token into a session. Raises Refusal (TokenException, 403) for anything wrong."""
        app = self._apps.get(api_key)
        entry = self._request_tokens.pop(request_token, None)
        if app is None or entry is None or entry[1] != api_key or self._monotonic() > entry[2]:
            raise Refusal(refusals.DEAD_REQUEST_TOKEN, error_type="TokenException", status=403)
        wanted = sha256(f"{api_key}{request_token}{app.api_secret}".encode()).hexdigest()
        if not compare_digest(wanted.encode(), checksum.encode()):
            raise Refusal("Invalid `checksum`.", error_type="TokenException", status=403)
        return self._open(entry[0], api_key)

    def _open(self, user_id: str, api_key: str) -> Session:
        for token, old in list(self._sessions.items()):
            if (old.user_id, old.api_key) == (user_id, api_key):
                del self._sessions[token]
        now = self._now_ms()
        session = Session(secrets.token_hex(16), user_id, api_key, now, next_token_flush_ms(now))
        self._sessions[session.access_token] = session
        self.changed = True
        return session

    def issue(self, user: User) -> Session:
        """Give a valid session of a user's own app without a login: the one in force, else a new one."""
        for session in self._sessions.values():
            if (session.user_id, session.api_key) == (user.user_id, user.api_key) and self._is_alive(session):
                return session
        return self._open(user.user_id, user.api_key)

    def find(self, api_key: str, access_token: str) -> Session | None:
        """Give the session of a key and token, None when there is no valid one."""
        session = self._sessions.get(access_token)
        return session if session is not None and session.api_key == api_key and self._is_alive(session) else None

    def _is_alive(self, session: Session) -> bool:
        return self._now_ms() < session.expires_ms

    def logout(self, api_key: str, access_token: str) -> bool:
        """End one session; False when there was none."""
        if self.find(api_key, access_token) is None:
            return False
        del self._sessions[access_token]
        self.changed = True
        return True

    def invalidate(self, user_id: str) -> int:
        """End every session of a user and give how many there were."""
        mine = [token for token, session in self._sessions.items() if session.user_id == user_id]
        for token in mine:
            del self._sessions[token]
        self.changed = self.changed or bool(mine)
        return len(mine)

    def sessions(self) -> list[Session]:
        """Give every session that is not expired."""
        return [session for session in self._sessions.values() if self._is_alive(session)]

    def restore(self, sessions: list[Session]) -> None:
        """Take back what was written to disk."""
        self._sessions = {session.access_token: session for session in sessions}
