"""Whether the brokers of open positions can be read. One that cannot is told within seconds, with what is open there.

Nobody can close a position at a broker that does not answer but its phone desk: so a person has to know at once, and
not only when the square-off is late.
"""

from trading.domain.broker_desks import phone_words
from trading.engine.desk import AccountDesk
from trading.engine.house import House
from trading.engine.open_words import open_words
from trading.engine.tools import Tools

TELLS_AFTER_S = 5.0
TELLS_AGAIN_AFTER_S = 60.0
"""Wire seconds: from the first failed read until the alarm, and from one alarm to the next."""


class ReachWatch:
    """Looked at once a second; `AccountDesk.unread_since` says since when reads of an account fail."""

    def __init__(self, tools: Tools, house: House) -> None:
        self._tools = tools
        self._house = house
        self._told_at: dict[str, float] = {}

    def look(self) -> None:
        """Judge every account now."""
        for key, parts in self._house.accounts.items():
            desk, since = parts.desk, parts.desk.unread_since
            if since is None:
                if self._told_at.pop(key, None) is not None:
                    self._tools.journal.record("BROKER_BACK", desk.ref.client_id, {"text": _back(key)}, account=key)
            elif desk.has_session:  # a dead session has an alarm of its own
                self._judge(desk, since)

    def _judge(self, desk: AccountDesk, since: float) -> None:
        now, told_at = self._tools.clock.monotonic(), self._told_at.get(desk.ref.key)
        held = {p.key.instrument: p.net_quantity for p in desk.orders.positions.open_positions()}
        is_due = now - since >= TELLS_AFTER_S and (told_at is None or now - told_at >= TELLS_AGAIN_AFTER_S)
        if held and is_due:
            self._told_at[desk.ref.key] = now
            phone = phone_words([desk.ref.broker])
            text = (
                f"{desk.ref.key} does not answer; open there: {open_words(held)}. It is asked again and again; "
                f"if you cannot wait, close it in the broker's app{phone}."
            )
            self._tools.alarm(desk.ref.client_id, "BROKER_SILENT", text, account=desk.ref.key)


def _back(key: str) -> str:
    return f"{key} answers again"
