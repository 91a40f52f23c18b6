"""Alarms that reach nobody: what the machine's alarm threads do about it (services/alarms/stopping.py), in memory."""

from collections.abc import Sequence

from trading.domain.alarms import Severity, kind_of
from trading.domain.control import TradingState
from trading.ports import Clock
from trading.simulation.memory_store import MemoryStore
from trading.simulation.referee.case import Told

STOPS_AFTER_S = 60.0
"""Wire seconds that a critical alarm may reach nobody before it stops the entries of whom it concerns."""


class Unheard:
    """Looks at what was told; `told` grows while it does."""

    def __init__(self, store: MemoryStore, clock: Clock, told: Sequence[Told]) -> None:
        self._store = store
        self._clock = clock
        self._told = told
        self._heard = 0

    def look(self, *, is_silent: bool) -> int:
        """Stop whom an alarm concerns that has reached nobody for long; give how many alarms did that."""
        now, stopped = self._clock.monotonic(), 0
        if not is_silent:
            self._heard = len(self._told)
        while self._heard < len(self._told) and now - self._told[self._heard].at >= STOPS_AFTER_S:
            alarm = self._told[self._heard]
            self._heard += 1
            if kind_of(alarm.code).severity is Severity.CRITICAL:
                self._store.lower(alarm.client_id, "", TradingState.REDUCING)
                stopped += 1
        return stopped
