"""The one door to `smartapi-python` 1.5.5, behind a guard.

Unguarded, its import asks api.ipify.org for the public address without a timeout, and its constructors
write ./logs/DATE/app.log, into which a failed login puts PIN and one-time code. Here the import meets
stand-ins, and the modules keep them. Source: SmartApi/smartConnect.py lines 67-80 and 129-134.
"""

import importlib
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any

import requests

LOOPBACK = "127.0.0.1"
MODULES = ("SmartApi.smartConnect", "SmartApi.smartWebSocketV2", "SmartApi.smartWebSocketOrderUpdate")

_lock = threading.Lock()
_loaded: dict[str, ModuleType] = {}

_silent = logging.getLogger(f"{__name__}.silenced")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False
_silent.disabled = True


def smart_connect(*, public_ip: str, local_ip: str = LOOPBACK) -> type[Any]:
    """Give the SDK's REST class with the addresses that are sent as X-ClientPublicIP and X-ClientLocalIP.

    The class would otherwise send a stranger's address that is written into the SDK. The addresses are
    the process's: the class is one. Imports the SDK when first called; no network, no file.
    """
    connect: type[Any] = _modules()["SmartApi.smartConnect"].SmartConnect
    connect.clientPublicIp = public_ip
    connect.clientLocalIp = local_ip
    return connect


def market_socket() -> type[Any]:
    """Give the SDK's market-data socket (SmartStream V2)."""
    socket_class: type[Any] = _modules()["SmartApi.smartWebSocketV2"].SmartWebSocketV2
    return socket_class


def order_socket() -> type[Any]:
    """Give the SDK's order-update socket."""
    socket_class: type[Any] = _modules()["SmartApi.smartWebSocketOrderUpdate"].SmartWebSocketOrderUpdate
    return socket_class


def _modules() -> dict[str, ModuleType]:
    with _lock:
        if not _loaded:
            with _no_questions_asked():
                found = {name: importlib.import_module(name) for name in MODULES}
            for module in found.values():
                _silence(module)
            _loaded.update(found)
    return _loaded


@contextmanager
def _no_questions_asked() -> Iterator[None]:
    """Stand in for what the class body calls: the address service and the resolver."""
    asked, resolved = requests.get, socket.gethostbyname
    requests.get = lambda *args, **kwargs: SimpleNamespace(text=LOOPBACK)  # type: ignore[assignment]
    socket.gethostbyname = lambda name: LOOPBACK
    try:
        yield
    finally:
        requests.get, socket.gethostbyname = asked, resolved


def _silence(module: ModuleType) -> None:
    """Take the module's log file, its folder and its logger away."""
    module.__dict__["logzero"] = SimpleNamespace(logfile=lambda *args, **kwargs: None)
    module.__dict__["os"] = SimpleNamespace(
        path=SimpleNamespace(join=lambda *parts: "/".join(parts)), makedirs=lambda *args, **kwargs: None
    )
    module.__dict__["logger"] = _silent
