"""The one door to `kiteconnect`: importing that package installs Twisted's global reactor.

The reactor installed here is the asyncio one, on a loop that nobody runs but `run_ticker`
(brokers/kite/reactor.py); in every other process it stands idle. Source: kiteconnect 5.2.2 `ticker.py`,
which imports `twisted.internet.reactor` at module level: hence the order below.
"""

import asyncio
import sys

if "twisted.internet.reactor" in sys.modules:
    _loop: asyncio.AbstractEventLoop | None = None
else:
    from twisted.internet import asyncioreactor

    _loop = asyncio.SelectorEventLoop()
    asyncioreactor.install(_loop)  # type: ignore[no-untyped-call]

from kiteconnect import KiteConnect, KiteTicker

__all__ = ["KiteConnect", "KiteTicker", "reactor_loop"]


def reactor_loop() -> asyncio.AbstractEventLoop | None:
    """Give the loop on which the reactor stands, None when another reactor was installed before us."""
    return _loop
