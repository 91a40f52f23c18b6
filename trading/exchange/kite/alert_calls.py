"""The alert calls: /alerts. No SDK has them for Python; they are made over plain HTTP."""

from typing import Any

from aiohttp import web

from trading.exchange.kite import limits
from trading.exchange.kite.alert_forms import parse_alert
from trading.exchange.kite.calling import Guarded, read_form
from trading.exchange.kite.shapes.alerts import alert_row, history_row
from trading.exchange.venue import Venue
from trading.exchange.venue.access import Session


class AlertCalls:
    """Create, list, show, modify and delete alerts, and tell what they did."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def routes(self, guarded: Guarded) -> list[web.RouteDef]:
        """List the routes with their rate-limit buckets."""
        return [
            web.post("/alerts", guarded(limits.OTHER, self.create)),
            web.get("/alerts", guarded(limits.OTHER, self.listed)),
            web.delete("/alerts", guarded(limits.OTHER, self.delete)),
            web.get("/alerts/{uuid}", guarded(limits.OTHER, self.one)),
            web.put("/alerts/{uuid}", guarded(limits.OTHER, self.modify)),
            web.get("/alerts/{uuid}/history", guarded(limits.OTHER, self.history)),
        ]

    async def create(self, request: web.Request, session: Session) -> Any:
        """POST /alerts."""
        wish = parse_alert(await read_form(request), self._venue.market)
        alert = self._venue.saved(self._venue.alerts.create(session.user_id, session.api_key, wish))
        return alert_row(alert, with_basket=False)

    async def modify(self, request: web.Request, session: Session) -> Any:
        """PUT /alerts/{uuid}."""
        wish = parse_alert(await read_form(request), self._venue.market)
        uuid = request.match_info["uuid"]
        alert = self._venue.saved(self._venue.alerts.modify(session.user_id, uuid, wish))
        return alert_row(alert, with_basket=False)

    async def delete(self, request: web.Request, session: Session) -> None:
        """DELETE /alerts?uuid=..&uuid=..; the data is null."""
        uuids = request.query.getall("uuid", [])
        self._venue.saved(self._venue.alerts.delete(session.user_id, uuids))

    async def listed(self, request: web.Request, session: Session) -> Any:
        """GET /alerts."""
        return [alert_row(alert, with_basket=True) for alert in self._venue.alerts.listed(session.user_id)]

    async def one(self, request: web.Request, session: Session) -> Any:
        """GET /alerts/{uuid}."""
        return alert_row(self._venue.alerts.one(session.user_id, request.match_info["uuid"]), with_basket=True)

    async def history(self, request: web.Request, session: Session) -> Any:
        """GET /alerts/{uuid}/history, the newest first."""
        alert = self._venue.alerts.one(session.user_id, request.match_info["uuid"])
        return [history_row(alert, firing) for firing in reversed(alert.history)]
