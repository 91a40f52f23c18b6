"""TCP ports on loopback."""

import socket
import sys
from collections.abc import Callable

LOOPBACK = "127.0.0.1"
TRIES = 50


class NoFreePort(Exception):
    """None of the ports that were tried can be had."""


def free_port() -> int:
    """Give a port that is free at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def is_taken(port: int) -> bool:
    """Say whether something listens on the port, or it cannot be bound."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return True
    return False


def choose_port(wanted: int, *, ask: Callable[[str], str] | None, tell: Callable[[str], None]) -> int:
    """Give `wanted`, or, when it is taken, the one a person names; without a person the next free one above.

    `ask` puts a question at the terminal (None without one). Raises NoFreePort.
    """
    if not is_taken(wanted):
        return wanted
    other = _next_free(wanted)
    if ask is None:
        tell(f"Port {wanted} is taken; using {other} instead.")
        return other
    while True:
        answer = ask(f"Port {wanted} is taken. Which one instead? [{other}] ").strip()
        if not answer:
            return other
        if answer.isdecimal() and 0 < int(answer) < 65536 and not is_taken(int(answer)):
            return int(answer)
        tell(f"{answer} cannot be used.")


def terminal_question() -> Callable[[str], str] | None:
    """Give `input` when a person sits at both ends, else None."""
    return input if sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty() else None


def _next_free(after: int) -> int:
    for port in range(after + 1, min(after + 1 + TRIES, 65536)):
        if not is_taken(port):
            return port
    raise NoFreePort(f"Port {after} is taken, and so are the {TRIES} above it: give a free one by --port.")
