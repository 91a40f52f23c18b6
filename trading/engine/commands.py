"""Reads the control rows and carries out the commands that pages, Beat and the command line wrote."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from trading.domain.control import CommandKind
from trading.domain.errors import StoreUnavailable
from trading.domain.orders import Purpose
from trading.engine.house import House
from trading.engine.kill import KillSwitch
from trading.engine.square_off import Flattener, FlattenOrder, SquareOffPlanner
from trading.engine.tools import Tools
from trading.engine.work import first_of
from trading.ports import Command

logger = logging.getLogger(__name__)

POLLS_EVERY_S = 0.1


class CommandDesk:
    """Each command is begun once a life of the engine; one that a crash cut short is begun again by the next."""

    def __init__(
        self,
        tools: Tools,
        house: House,
        *,
        kill: KillSwitch,
        planner: SquareOffPlanner,
        flattener: Flattener,
        reload_plans: Callable[[], Awaitable[None]],
    ) -> None:
        self._tools = tools
        self._house = house
        self._kill = kill
        self._planner = planner
        self._flattener = flattener
        self._reload_plans = reload_plans
        self._begun: set[int] = set()
        self._reading = asyncio.Lock()

    async def run(self) -> None:
        """Read for ever, at once when somebody says that a command was written."""
        wake = self._tools.deps.wake
        while True:
            await self.read()
            if wake is None:
                await self._tools.clock.sleep(POLLS_EVERY_S)
            else:
                await first_of(_woken(wake), self._tools.clock.sleep(POLLS_EVERY_S))

    async def read(self) -> None:
        """Take over the control rows and begin what is new."""
        async with self._reading:
            try:
                view = await self._tools.store.control()
            except StoreUnavailable as error:
                logger.warning("the control rows could not be read: %s", error)
                return
            self._house.note_control(view)
            for command in view.commands:
                if command.command_id not in self._begun:
                    self._begun.add(command.command_id)
                    self._begin(command)

    def _begin(self, command: Command) -> None:
        # Only a reload is work that the market waits for as a whole: the others wait for fills, which the
        # market may give only when it moves on.
        counts = command.kind is CommandKind.RELOAD
        name = f"command {command.command_id} {command.kind}"
        self._tools.work.spawn(self._carry_out(command), name, counts=counts)

    async def _carry_out(self, command: Command) -> None:
        result = await self._do(command)
        while True:
            try:
                with self._tools.work.doing():
                    await self._tools.journal.flush()
                    await self._tools.store.finish_command(command.command_id, result)
                return
            except StoreUnavailable as error:
                logger.warning("the end of command %s could not be stored: %s", command.command_id, error)
                await self._tools.clock.sleep(POLLS_EVERY_S)

    async def _do(self, command: Command) -> dict[str, Any]:
        clients = self._house.chosen(command.client_id)
        if command.kind is CommandKind.KILL:
            return await self._kill.carry_out(command, clients)
        if command.kind is CommandKind.SQUARE_OFF:
            reason = {"rule": "square-off command", "command": command.command_id}
            await asyncio.gather(*(self._planner.square_off(client, reason) for client in clients))
            return {"flat": True}
        if command.kind is CommandKind.EXIT_POSITION:
            return await self._exit_position(command)
        await self._reload_plans()
        return {"reloaded": True}

    async def _exit_position(self, command: Command) -> dict[str, Any]:
        account, instrument = str(command.arguments["account_key"]), str(command.arguments["instrument"])
        parts = self._house.accounts.get(account)
        if parts is None or parts.desk.ref.client_id != command.client_id:
            return {"flat": False, "reason": f"{account} is not an account of this client"}
        client = self._house.clients[parts.desk.ref.client_id]
        reason = {"rule": "exit asked for by hand", "command": command.command_id}
        order = FlattenOrder(client, Purpose.MANUAL_EXIT, reason, frozenset({instrument}), account, ends_day=False)
        await self._flattener.flatten(order)
        return {"flat": True}


async def _woken(wake: asyncio.Event) -> None:
    await wake.wait()
    wake.clear()
