"""The login page of Kite Connect and the way back to the app.

GET shows the form, POST checks it and redirects to the app's registered URL with `action`, `type`, `status` and, on
success, `request_token`; what came in `redirect_params` is carried back. Source: protocol notes, section 2.
"""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from aiohttp import web

from trading.exchange.kite.calling import read_form
from trading.exchange.venue import Venue
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.users import User

PATH = "/connect/login"
OWN_PARAMETERS = ("action", "type", "status", "request_token")
"""What the broker itself says on the way back; `redirect_params` cannot set these."""

_PAGE = Template((Path(__file__).parent / "login.html").read_text(encoding="utf-8"))


class LoginPage:
    """Two handlers over one venue."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def routes(self) -> list[web.RouteDef]:
        """Give the routes of the page."""
        return [web.get(PATH, self.show), web.post(PATH, self.submit)]

    async def show(self, request: web.Request) -> web.Response:
        """Show the form. Raises Refusal for no such app."""
        self._app_of(request)
        return self._page(request)

    async def submit(self, request: web.Request) -> web.Response:
        """Check the form and go back to the app."""
        app = self._app_of(request)
        form = await read_form(request)
        if form.get("decision") == "cancel":
            return self._back(request, status="cancelled")
        token = self._venue.access.request_token(
            form.get("user_id", ""), form.get("password", ""), form.get("totp", ""), app.api_key
        )
        if token is None:
            return self._page(request, user_id=form.get("user_id", ""), error="Invalid user ID, password or code.")
        return self._back(request, status="success", request_token=token)

    def _app_of(self, request: web.Request) -> User:
        """Find the app. Without one the broker's page is its API's error as JSON (so people copied it from there)."""
        app = self._venue.access.app_of(request.query.get("api_key", ""))
        if app is None:
            raise Refusal("Invalid `api_key`.")
        return app

    def _page(self, request: web.Request, *, user_id: str = "", error: str = "") -> web.Response:
        text = _PAGE.substitute(
            action=escape(f"{PATH}?{request.rel_url.raw_query_string}"),
            user_id=escape(user_id),
            totp=self._venue.access.totp_hint(),
            error=f'<p class="error" role="alert">{escape(error)}</p>' if error else "",
        )
        headers = {"Cache-Control": "no-store"}
        return web.Response(text=text, content_type="text/html", status=403 if error else 200, headers=headers)

    def _back(self, request: web.Request, *, status: str, **more: str) -> web.Response:
        asked = parse_qsl(request.query.get("redirect_params", ""))
        carried = {name: value for name, value in asked if name not in OWN_PARAMETERS}
        said = {"action": "login", "type": "login", "status": status} | more
        target = redirect_target(self._venue.redirect_url, said | carried)
        return web.Response(status=302, headers={"Location": target, "Cache-Control": "no-store"})


def redirect_target(registered: str, parameters: Mapping[str, str]) -> str:
    """Add parameters to the registered URL, after those that it has."""
    parts = urlsplit(registered)
    query = "&".join(filter(None, [parts.query, urlencode(parameters)]))
    return urlunsplit(parts._replace(query=query))
