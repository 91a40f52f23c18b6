"""From the account key that the engine speaks to the rows behind it."""

from typing import NamedTuple

from trading.models import BrokerAccount


class AccountIds(NamedTuple):
    """The rows of one account key."""

    account_id: int
    client_id: int


class AccountIndex:
    """Remembers account keys; a key never changes its row, so nothing here grows stale."""

    def __init__(self) -> None:
        self._known: dict[str, AccountIds] = {}

    def of(self, key: str) -> AccountIds:
        """Give the ids of a client's account. Raises KeyError when no client has it."""
        if key not in self._known:
            rows = BrokerAccount.objects.filter(key=key, owner__client__isnull=False)
            found = rows.values_list("pk", "owner__client").first()
            if found is None:
                raise KeyError(f"no client has the account {key!r}")
            self._known[key] = AccountIds(*found)
        return self._known[key]
