"""What happens to the processes of a simulated day: they die, stand still and go on, and are started again."""

import asyncio

from trading.simulation.living import EngineProcess
from trading.simulation.process import Crash
from trading.simulation.troubles import Trouble
from trading.simulation.world import World

RESTARTS_AFTER_S = 3.5


class Fates:
    """Of one day. Whoever is struck is the process that speaks, unless a trouble names `whom`: engine or standby."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._back_s = RESTARTS_AFTER_S
        self._away: list[tuple[int, bool]] = []
        """(step, is a standby) of what is started no earlier than then."""

    @property
    def store_is_held(self) -> bool:
        """True while somebody stands still in the middle of a transaction."""
        return any(one.holds_store and one.life.is_stopped and not one.life.is_dead for one in self._world.processes)

    def crash(self, trouble: Trouble) -> None:
        """Let a process die at one of its next calls."""
        values, process = trouble.values, self._struck(trouble)
        if process is not None:
            process.life.crash = Crash(values["call"], values["nth"], after=values["after"])
            process.stays_away = values.get("stays_away", 0)
            self._back_s = float(values.get("back_s", RESTARTS_AFTER_S))

    def freeze(self, trouble: Trouble) -> None:
        """Let a process stand still for a while, with `second` beside one that waits for its place."""
        process = self._struck(trouble)
        if process is None:
            return
        if trouble.values["second"] and len(self._world.processes) < 2:
            self._world.start_engine()
        self._world.machine.may_kill = trouble.values.get("may_kill", True)
        process.holds_store = trouble.values.get("holds_store", False)
        process.life.stop()
        self._world.note_trouble()
        asyncio.get_running_loop().call_later(trouble.values["for_s"], self._go_on, process)

    def _go_on(self, process: EngineProcess) -> None:
        process.life.go_on()
        process.awake_since = self._world.clock.monotonic()
        self._world.note_trouble()

    def _struck(self, trouble: Trouble) -> EngineProcess | None:
        """Give whom a trouble strikes: the process that speaks now, else any."""
        whom = trouble.values.get("whom")
        alive = [
            one
            for one in self._world.processes
            if one.life.is_awake and (whom is None or one.is_standby is (whom == "standby"))
        ]
        lease = self._world.store.leases.get("main")
        holding = [one for one in alive if lease is not None and lease.holder.endswith(one.life.name)]
        return next(iter(holding or alive), None)

    async def replace_the_dead(self, step: int) -> None:
        """Take the dead away, and start again whoever is not to stay away."""
        world = self._world
        dead = [one for one in world.processes if one.life.is_dead]
        for process in dead:
            world.bury(process)
        self._away += [(step + one.stays_away, one.is_standby) for one in dead if one.stays_away]
        if any(not one.stays_away for one in dead):
            await world.clock.sleep(self._back_s)
            self._back_s = RESTARTS_AFTER_S
        back = [one.is_standby for one in dead if not one.stays_away]
        back += [is_standby for at, is_standby in self._away if at <= step]
        self._away = [(at, is_standby) for at, is_standby in self._away if at > step]
        for is_standby in back:
            world.start_engine(standby=is_standby)
        if dead or back:
            world.note_trouble()

    def calm(self) -> None:
        """Nobody dies or stands still any more, and nobody stays away for longer."""
        self._away = [(0, is_standby) for _, is_standby in self._away]
        for process in self._world.processes:
            process.life.crash = None
            process.stays_away = 0
            process.life.go_on()
