"""The venue's logins: tokens made, ended and kept on disk."""

from trading.exchange.venue.access import Access, Session
from trading.exchange.venue.store import VenueStore
from trading.exchange.venue.users import User


class Logins:
    """What a venue does with sessions; every change has been written when a call returns."""

    users: dict[str, User]
    access: Access
    _store: VenueStore

    def exchange_token(self, api_key: str, request_token: str, checksum: str) -> Session:
        """Turn a request token into a session or raise Refusal."""
        session = self.access.exchange(api_key, request_token, checksum)
        self._save_sessions()
        return session

    def issue_token(self, user_id: str) -> str:
        """Give an access token of the user's own app that is valid now, without a login."""
        session = self.access.issue(self.users[user_id])
        self._save_sessions()
        return session.access_token

    def logout(self, api_key: str, access_token: str) -> bool:
        """End a session; False when there was none."""
        was_there = self.access.logout(api_key, access_token)
        self._save_sessions()
        return was_there

    def invalidate_tokens(self, user_id: str) -> int:
        """End every session of a user, as a login elsewhere does; give how many there were.

        Raises ValueError for a user who has no account here.
        """
        if user_id not in self.users:
            raise ValueError(f"user_id must be one of {', '.join(self.users)}, was {user_id!r}")
        count = self.access.invalidate(user_id)
        self._save_sessions()
        return count

    def _save_sessions(self) -> None:
        if self.access.changed:
            self._store.save_sessions(self.access.sessions())
            self.access.changed = False
