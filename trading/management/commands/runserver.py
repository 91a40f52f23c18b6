"""`runserver`: Django's word for a development server; here it serves ASGI with reload."""

import atexit
import os
import subprocess
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from trading.management.commands.run_web import serve
from trading.stack.embedded_redis import configure
from trading.stack.options import add_state_dir
from trading.stack.ports import LOOPBACK, free_port
from trading.stack.process import BOUND


class Command(BaseCommand):
    """Serve pages and WebSockets, and start again when a source file changes.

    Beside a running stack it joins that stack's database and Redis (manage.py); alone it brings its own Redis.
    """

    help = "Serve pages and WebSockets for development, with reload."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options; the address reads as in Django: PORT or HOST:PORT."""
        parser.add_argument("addrport", nargs="?", default="", help="port, or address:port")
        parser.add_argument("--noreload", action="store_true", help="do not watch the source files")
        add_state_dir(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve."""
        host, _, port = options["addrport"].rpartition(":")
        if options["addrport"] and not port.isdecimal():
            raise CommandError(f"{options['addrport']!r} is not a port or address:port.")
        self.check_migrations()
        if not os.environ.get("REDIS_URL"):
            _bring_redis()
        self.stdout.write(f"Development server at http://{host or LOOPBACK}:{port or settings.PORT}/")
        serve(host=host or LOOPBACK, port=int(port or settings.PORT), reload=not options["noreload"])


def _bring_redis() -> None:
    """Start a Redis for as long as this process lives; the reloaded server finds it by REDIS_URL."""
    embedded = configure(settings.STATE_DIR / "valkey-dev", port=free_port())
    server = subprocess.Popen(  # noqa: S603 (our own command line)
        [sys.executable, "-I", "-S", str(BOUND), str(os.getpid()), *embedded.program.command], start_new_session=True
    )
    atexit.register(server.terminate)
    os.environ["REDIS_URL"] = embedded.url
