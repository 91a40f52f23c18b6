"""`run_strategy`: the engine. `--standby` waits beside it and takes over, only to exit, when it is dead."""

import asyncio
import os
import socket
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from trading.clock.live import LiveClock
from trading.clock.simulated import MarketParticipant
from trading.ports import Clock
from trading.services import wiring
from trading.services.alarms import running
from trading.services.alarms.threads import AlarmThreads
from trading.services.build import build_id
from trading.services.release import release_problem
from trading.stores.schema import schema_problem

TURNS_EVERY_S = 0.5


class Command(BaseCommand):
    """Run until SIGTERM or Ctrl-C."""

    help = "Trade the ladder for every active client: decisions, orders, fills, square-off, reconciliation."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--standby", action="store_true", help="wait; take over when the holder is dead, only exit")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the engine in this process."""
        if problem := schema_problem():
            raise CommandError(f"The engine refuses to trade: {problem}.")
        if problem := release_problem(LiveClock().wall()):
            raise CommandError(f"The engine refuses to start: {problem}.")
        connection.close()
        asyncio.run(_run(standby=options["standby"]))


async def _run(*, standby: bool) -> None:
    name = "standby" if standby else "engine"
    market: MarketParticipant | None = None
    if settings.ALGO_CONTROL_URL:
        market = MarketParticipant(settings.ALGO_CONTROL_URL, name=name, role="engine")
        await market.start()
    clock = market or LiveClock()
    alarms = running.start(name, clock, has_loop=True)
    turning = asyncio.create_task(_turn(alarms, clock), name="sign of life")
    try:
        await wiring.run_strategy(
            clock,
            hold=market,
            holder=f"{name}-{os.getpid()}@{socket.gethostname()[:40]}#{build_id()}",
            standby=standby,
            alarm_post=alarms,
        )
    finally:
        turning.cancel()
        alarms.stop()
        if market is not None:
            await market.close()


async def _turn(alarms: AlarmThreads, clock: Clock) -> None:
    """Show the threads that this loop goes round."""
    while True:
        alarms.turn()
        await clock.sleep(TURNS_EVERY_S)
