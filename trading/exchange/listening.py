"""The ports of an exchange: bound before anything else happens, so that a taken one is refused in time."""

import errno
import socket
import ssl

from aiohttp import web

HOST = "127.0.0.1"
HIGHEST_PORT = 65_535
LONGEST_LINE = 65_536
"""Bytes of a request line: Kite takes 500 instruments in a quote and 1000 in an LTP request, all in the query."""


def listen(wished: int, kept: int) -> socket.socket:
    """Listen at the wished port; without a wish (0) at the kept one if it is free, else at any.

    Raises ValueError for a wish that cannot be had.
    """
    if not 0 <= wished <= HIGHEST_PORT:
        raise ValueError(f"a port must be 0 to {HIGHEST_PORT}, was {wished}")
    for port in (wished,) if wished else (kept, 0):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen()
        except OSError as error:
            listener.close()
            if wished:
                what = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be had ({error.strerror})"
                raise ValueError(f"port {wished} {what}; choose another one") from error
            continue
        return listener
    raise ValueError("no free port on this machine")


async def serve(app: web.Application, listener: socket.socket, context: ssl.SSLContext | None = None) -> web.AppRunner:
    """Serve an application at a listening socket, with TLS when there is a context, until the runner is cleaned up."""
    # access_log=None: request lines carry access tokens (the ticker's query, logout)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0, max_line_size=LONGEST_LINE)
    await runner.setup()
    await web.SockSite(runner, listener, ssl_context=context).start()
    return runner
