"""A standby that acts without the lease: only where nobody else can, only to exit, and never unsaid. I8, I14, I18."""

from trading.domain.orders import OrderIntent
from trading.simulation.living import EngineProcess
from trading.simulation.referee.case import Case, Judge

LIVES_FOR_S = 4.0
"""Wire seconds awake within which a holder has left a sign of life, and two more until a standby's word is told."""
MISSED_WITHIN_S = 6.0
"""A call to the database takes five seconds to fail where it is locked."""


class StandingIn(Judge):
    """Looks at every word of a standby that it stands in, and at what standbys send."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self._said: set[str] = set()

    def told(self, process: str, client_id: int | None, code: str, text: str) -> None:
        """Judge at the moment at which a standby says that it stands in."""
        if code != "STANDBY_STANDS_IN":
            return
        case = self.case
        self._said.add(process)
        missed = case.now() - case.store_troubled_at
        words = f"{process} stands in {missed:.2f} s after the database was last missed"
        case.check("I14 stands in", holds=missed <= MISSED_WITHIN_S, otherwise=words)
        for one in case.alive():
            lives = one.life.name != process and self._gives_signs(one)
            words = f"{process} stands in for {one.life.name}, that lives"
            case.check("I14", holds=not lives, otherwise=words)

    def _gives_signs(self, one: EngineProcess) -> bool:
        """Say whether it speaks, was awake for a while, and nothing was wrong with the file of its signs of life."""
        case = self.case
        has_locks = any(case.owner_of(account) == one.life.name for account in case.store.accounts)
        is_seen = case.machine.takes_beats and case.machine.shows_beats
        since = max(one.awake_since, case.pulse_troubled_at)
        return has_locks and one.life.is_awake and is_seen and case.now() - since >= LIVES_FOR_S

    def asked(self, process: str, name: str, account: str, subject: object) -> None:
        """A standby only exits, and one that has no lease has said so."""
        one = self.case.process_of(process)
        if name != "place" or not isinstance(subject, OrderIntent) or one is None or not one.is_standby:
            return
        is_exit = subject.key.purpose.is_exit
        self.case.check("I8", holds=is_exit, otherwise=f"the standby {process} enters: {subject.key.text()}")
        lease = self.case.store.leases.get("main")
        if lease is None or not lease.holder.endswith(process):
            # One that had the lease and was overtaken just now still has the accounts' locks: nothing is to be said.
            said = process in self._said or not one.engine._keeper.stands_in
            words = f"{process} sends {subject.key.text()} without the lease, and never said that it stands in"
            self.case.check("I18", holds=said, otherwise=words)
            is_written = self.case.journaled(account, subject.tag) is not None
            words = f"{process} sends {subject.key.text()} without the lease, and its exit journal has no line of it"
            self.case.check("I2", holds=is_written, otherwise=words)
