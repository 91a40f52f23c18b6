"""The control port's calls about faults: put rules in force, take them out, ask what was injected."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from trading.exchange.control_bodies import read_json
from trading.exchange.faults import Faults
from trading.exchange.faults.engine import LOG_LENGTH
from trading.exchange.faults.presets import sheet
from trading.exchange.faults.rules import Rule
from trading.exchange.faults.scripts import parse_wish
from trading.exchange.impostor import Impostor
from trading.exchange.venue import Venue

FILTERS = ("user_id", "rule_id", "script", "action", "method", "instrument", "tag")


class FaultCalls:
    """Handlers over the rules in force. `look` makes what is due by the clock happen."""

    def __init__(self, faults: Faults, venue: Venue, look: Callable[[], None], impostor: Impostor) -> None:
        self._faults = faults
        self._venue = venue
        self._look = look
        self._impostor = impostor

    def routes(self) -> list[web.RouteDef]:
        """List the routes."""
        return [
            web.get("/faults", self.show),
            web.post("/faults", self.add),
            web.delete("/faults", self.remove),
            web.delete("/faults/{rule_id:[0-9]{1,9}}", self.remove_one),
            web.get("/faults/presets", self.presets),
            web.get("/faults/log", self.log),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """Answer the rules in force and what was injected so far, the last `?log=` injections of it."""
        most = _whole(request.query.get("log", str(LOG_LENGTH)), "log")
        return web.json_response(self._faults.report(most) | {"impostor": self._impostor.places})

    async def add(self, request: web.Request) -> web.Response:
        """Put a rule, a list of them, a script or a preset in force: all or none of its rules."""
        rules = parse_wish(await read_json(request), self._faults.scripts())
        for rule in rules:
            self._check_names(rule)
        added = self._faults.enforce(rules)
        return await self._changed(added=added)

    async def remove(self, request: web.Request) -> web.Response:
        """Forget every rule, or those of `?script=`; what was injected is kept."""
        if "script" in request.query:
            self._faults.remove_script(request.query["script"])
        else:
            self._faults.clear()
        return await self._changed()

    async def remove_one(self, request: web.Request) -> web.Response:
        """Forget one rule."""
        self._faults.remove(int(request.match_info["rule_id"]))
        return await self._changed()

    async def presets(self, request: web.Request) -> web.Response:
        """Answer the faults that have a name, in words."""
        return web.json_response({"presets": sheet()})

    async def log(self, request: web.Request) -> web.Response:
        """Answer what was injected, oldest first: `?since=` a number, `?most=`, and any of FILTERS."""
        query = dict(request.query)
        since, most = _whole(query.pop("since", "0"), "since"), _whole(query.pop("most", str(LOG_LENGTH)), "most")
        unknown = sorted(set(query) - set(FILTERS))
        if unknown:
            raise ValueError(f"the log is filtered by since, most, {', '.join(FILTERS)}, not by {unknown[0]!r}")
        journal = self._faults.journal
        found = self._faults.log(query, since=since, most=most)
        return web.json_response({"log": found, "injected": dict(self._faults.counts), "last": journal.last_number})

    def _check_names(self, rule: Rule) -> None:
        """Refuse an account or an instrument that is not here: such a rule would strike nothing, silently."""
        user_id, instrument = rule.match.get("user_id"), rule.match.get("instrument")
        if user_id is not None and user_id not in self._venue.users:
            raise ValueError(f"user_id must be one of {', '.join(self._venue.users)}, was {user_id!r}")
        if instrument is not None and rule.action != "csv" and self._venue.market.by_key(instrument) is None:
            raise ValueError(f"instrument must be one of this market, such as NSE:INFY, was {instrument!r}")

    async def _changed(self, **more: Any) -> web.Response:
        """Let what follows at once happen, and answer what is in force."""
        self._look()
        await self._impostor.follow()
        return web.json_response(self._faults.report() | {"impostor": self._impostor.places} | more)


def _whole(text: str, name: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 12:
        raise ValueError(f"{name} must be a whole number from 0, was {text!r}")
    return int(text)
