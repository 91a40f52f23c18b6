"""Running Twisted's reactor and asyncio on one loop, in the main thread, once a process."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from trading.brokers.kite.sdk import reactor_loop
from trading.domain.errors import ConfigurationError


def run_with_reactor(main: Coroutine[Any, Any, None]) -> None:
    """Run `main` to its end on the loop that KiteTicker's reactor shares, then shut both down.

    Raises ConfigurationError when some other reactor was installed before. May run once a process:
    a Twisted reactor cannot be started again.
    """
    loop = reactor_loop()
    if loop is None:
        main.close()
        raise ConfigurationError("another Twisted reactor is installed; the ticker needs a process of its own")
    from twisted.internet import reactor as installed

    reactor: Any = installed  # Twisted types it as an interface that lacks startRunning
    asyncio.set_event_loop(loop)
    reactor.startRunning(installSignalHandlers=False)
    try:
        loop.run_until_complete(main)
    finally:
        # Stops the name resolver's thread pool. KiteTicker.stop() is never called: it would stop the loop under us.
        reactor.fireSystemEvent("shutdown")
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
