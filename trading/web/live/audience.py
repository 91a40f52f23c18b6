"""Who sits at a socket, and what of the house's messages is theirs. Decided by the server's own user id only."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trading.domain.money import to_decimal
from trading.domain.timezone import ist_day, to_ist
from trading.models import Client, User
from trading.services import wiring
from trading.services.views import alarms, happenings, house, positions, prices, snapshot
from trading.stores import alarms as stored

OWN_KINDS = frozenset({"pnl", "position", "order", "event", "state", "reconciliation"})
PRICES_OF_POSITION = ("ltp", "unrealised", "percent")


@dataclass(frozen=True, slots=True)
class Audience:
    """A signed-in person. `client_id` None is the operator without an account of their own: the house view."""

    user_id: int
    client_id: int | None
    may_see_prices: bool = False
    instruments: frozenset[str] = frozenset()

    def share_of(
        self, client_id: int | None, kind: str, data: Mapping[str, Any]
    ) -> tuple[str, Mapping[str, Any]] | None:
        """Give what of one message this person gets; None for nothing."""
        if kind == "market":
            return kind, _in_india(data)
        if self.client_id is None:
            return _for_operator(client_id, kind, data)
        if kind == "quote":
            is_wanted = self.may_see_prices and data.get("instrument") in self.instruments
            return (kind, data) if is_wanted else None
        if client_id != self.client_id or kind not in OWN_KINDS:
            return None
        if kind == "position":
            return kind, _position(data) if self.may_see_prices else {**data, **dict.fromkeys(PRICES_OF_POSITION)}
        return kind, _for_reading(kind, data)


def find_audience(user: User) -> Audience | None:
    """Say who this is; None for somebody who is neither client nor operator."""
    client = Client.objects.filter(user=user).first()
    if client is None:
        return Audience(user.pk, None) if user.is_operator else None
    return Audience(user.pk, client.pk, may_see_prices=prices.may_see_prices(client))


def picture_of(audience: Audience) -> dict[str, Any]:
    """Give the snapshot that this person's page begins with."""
    if audience.client_id is None:
        return house.house_snapshot()
    return snapshot.client_snapshot(Client.objects.select_related("user").get(pk=audience.client_id))


def state_of(client_id: int) -> dict[str, Any] | None:
    """Give a client's state after the house's changed; None while the market's clock does not answer."""
    market = snapshot.market_now()
    if market is None:
        return None
    client = Client.objects.select_related("user").get(pk=client_id)
    return snapshot.state_part(client, market.now, snapshot.feed_part(market)["age_s"])


def pulse() -> dict[str, dict[str, Any]]:
    """Give market and feed as they are now, for everybody."""
    market = snapshot.market_now()
    if market is None:
        return {"market": snapshot.market_part(None), "feed": snapshot.feed_part(None)}
    return {"market": snapshot.market_part(market), "feed": snapshot.feed_part(market)}


def alarm_pulses(user_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Give how many alarms wait for each of these people."""
    return alarms.alarm_pulses(user_ids, wiring.clock().wall())


def note_shown(user_id: int, alarm_ids: Iterable[int]) -> None:
    """Note that a person's browser showed these alarms: only that is a delivery by the page."""
    stored.shown(user_id, alarm_ids, wiring.clock().wall())


def house_pulse() -> list[tuple[str, dict[str, Any]]]:
    """Give the house's P&L and every client's figures as they are now, for operators."""
    market = snapshot.market_now()
    if market is None:
        return []
    rows = house.figure_rows(ist_day(market.now))
    return [("pnl", house.house_pnl(rows)), *(("client", row) for row in rows)]


def _for_operator(client_id: int | None, kind: str, data: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]] | None:
    if client_id is None:
        return (kind, _for_reading(kind, data)) if kind in ("state", "event") else None
    if kind == "pnl":
        known = _for_reading(kind, data)
        return "client", {"id": client_id, **{name: known.get(name) for name in house.MONEY}}
    if kind == "state":
        return "client", {"id": client_id, "state": data.get("state"), "reason": data.get("reason")}
    if kind == "reconciliation":
        return kind, data
    if kind == "event":
        return "client", {"id": client_id, "last_action": _action(data), "event_kind": data.get("kind")}
    return None


def _action(data: Mapping[str, Any]) -> dict[str, Any]:
    at = str(data.get("at", ""))
    return {"time": f"{to_ist(datetime.fromisoformat(at)):%H:%M:%S}" if at else "", "text": data.get("sentence", "")}


def _for_reading(kind: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Add what a page needs: an event's tone, and that a sum with an unpriced position in it is unknown."""
    if kind == "event":
        return {**data, "tone": happenings.tone_of(str(data.get("kind", "")))}
    if kind == "pnl" and data.get("unpriced"):
        return {**data, **dict.fromkeys(("unrealised", "total", "loss_left", "profit_left"))}
    return data


def _position(data: Mapping[str, Any]) -> dict[str, Any]:
    """Add the percent, which the engine does not send."""
    unrealised, average, units = (data.get(name) for name in ("unrealised", "average_price", "open"))
    known = None if unrealised is None or average is None else to_decimal(unrealised)
    return {**data, "percent": positions.percent(known, to_decimal(average or 0), int(units or 0))}


def _in_india(data: Mapping[str, Any]) -> dict[str, Any]:
    """Give the engine's market time in IST. The phase is left to the pulse: two sources would take turns on screen."""
    return {"time": to_ist(datetime.fromisoformat(str(data["time"]))).isoformat(timespec="milliseconds")}
