"""When a waiting standby may act although nobody can be given the lease: the database is away, and the holder is dead.

The lease's counter cannot be seen then. The holder's pulse on this machine takes its place: a holder that lives while
the database is away sends its exits itself, and its pulse goes on. One that stands still before the standby's own eyes
is dead or stopped, and what it still has, the accounts' lock files, is taken from it as by any takeover. The pulse must
be that of the lease's last known holder: a holder on another machine has none here, and nobody stands in for it.
"""

from trading.engine.deps import EngineDeps
from trading.ports import LeaseView, PulseView

AWAY_AFTER_S = 3.0
"""Wire seconds without the database, and without a beat, after which a standby stands in."""
STOOD_STILL_S = 1.5
"""Who did not look for so long was stopped itself; what it saw before proves nothing any more."""


class OutageWatch:
    """What one waiting process saw of an outage."""

    def __init__(self, deps: EngineDeps) -> None:
        self._deps = deps
        self._away_since: float | None = None
        self._looked_at = float("-inf")
        self._pulse: PulseView | None = None
        self._still_since = float("-inf")

    @property
    def is_on(self) -> bool:
        """True from the first question that was not answered until the database is seen to work."""
        return self._away_since is not None

    @property
    def since(self) -> float:
        """Wire time at which the database was first missed."""
        return self._deps.clock.monotonic() if self._away_since is None else self._away_since

    def over(self) -> None:
        """The database answered, or somebody was seen to write to it."""
        self._away_since = None

    async def why_not(self, lease: LeaseView | None) -> str:
        """Look at the holder's pulse, and say why nobody may stand in for it now; empty when somebody may.

        `lease` is the row as last seen.
        """
        pulse = None if self._deps.pulse is None else await self._deps.pulse.look(self._deps.shard)
        now = self._deps.clock.monotonic()
        was_stopped = now - self._looked_at >= STOOD_STILL_S + AWAY_AFTER_S  # a question to the database takes so long
        if self._away_since is None:
            self._away_since = now
        if pulse != self._pulse or self._looked_at < self._away_since or was_stopped:
            self._pulse, self._still_since = pulse, now
        self._looked_at = now
        if lease is None or pulse is None or not _is_of(pulse, lease):
            return "no sign of life on this machine is that of the lease's holder, so nobody stands in for it"
        if now - max(self._still_since, self._away_since) < AWAY_AFTER_S:
            return f"{pulse.holder} gives signs of life, or gave one just now"
        return ""


def _is_of(pulse: PulseView, lease: LeaseView) -> bool:
    """Say whether a pulse is that of a lease's holder, of who gave it back last, or of who took it unseen since."""
    if pulse.epoch == lease.epoch:
        return lease.holder in ("", pulse.holder)
    return pulse.epoch > lease.epoch
