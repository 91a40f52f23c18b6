"""`run_web`: pages, API and WebSockets by uvicorn, logging as the settings say."""

from argparse import ArgumentParser
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand

from trading.services import wiring
from trading.services.alarms import running

GRACE_S = 2


def serve(*, host: str, port: int, reload: bool = False) -> None:
    """Serve until SIGTERM or Ctrl-C. The access log is off: request lines carry the broker's request tokens."""
    uvicorn.run(
        "algosystem.asgi:application",
        host=host,
        port=port,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_S,
        reload=reload,
        reload_dirs=[str(settings.BASE_DIR)] if reload else None,
        reload_includes=["*.py", "*.html"] if reload else None,
        reload_excludes=[str(settings.STATE_DIR), "tests/*"] if reload else None,
    )


class Command(BaseCommand):
    """Run the web process of the Procfile."""

    help = "Serve pages, API and WebSockets (ASGI)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--host", default="0.0.0.0", help="address to listen on")  # noqa: S104 (a server's job)
        parser.add_argument("--port", type=int, default=None, help="default: PORT")

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve, with the threads that watch over the other parts."""
        alarms = running.start("web", wiring.clock())
        try:
            serve(host=options["host"], port=options["port"] or settings.PORT)
        finally:
            alarms.stop()
