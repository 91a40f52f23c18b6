"""The page at the control port's address: one HTML file, styles and scripts beside it, nothing from elsewhere."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

FOLDER = Path(__file__).parent / "page"
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
SAFETY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def page_routes() -> list[web.RouteDef]:
    """Give the page and each file beside it."""
    files = {path.name: path for path in sorted(FOLDER.iterdir()) if path.suffix in KINDS}
    routes = [web.get("/", _serving(files.pop("index.html")))]
    return routes + [web.get(f"/page/{name}", _serving(path)) for name, path in files.items()]


def _serving(path: Path) -> Callable[[web.Request], Awaitable[web.Response]]:
    body, kind = path.read_bytes(), KINDS[path.suffix]

    async def show(request: web.Request) -> web.Response:
        return web.Response(body=body, content_type=kind, charset="utf-8", headers=SAFETY)

    return show
