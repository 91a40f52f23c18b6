"""Alarms: none is lost, none is told without end, and what a person must know is told in time. I18."""

from collections import defaultdict, deque
from collections.abc import Sequence
from typing import NamedTuple

from trading.domain.alarms import cause_of
from trading.ports import EngineEvent
from trading.simulation.referee.case import NEVER, Case, Judge, Told
from trading.simulation.requests import Request

REACHES_WITHIN_S = 5.0
"""Wire seconds from a cause until an alarm of it is stored, or told past the database (I18)."""
NOTICED_WITHIN_S = 4.0
"""An outage is called one only when it has lasted: the lease's patience with a database, wire seconds."""
MOST_A_MINUTE = 61
"""Of one cause and process, within a minute of both clocks: one a second. People hear of one of them."""


class _Owed(NamedTuple):
    """An alarm that must be there by a wire moment. `since`: one that was told at or after it will do."""

    process: str
    account: str
    code: str
    since: float
    until: float
    text: str


class Alarms(Judge):
    """Looks at alarms of the log, and at causes that the broker's answers and the database show."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self._owed: list[_Owed] = []
        self._served_at: defaultdict[tuple[str, str], float] = defaultdict(lambda: NEVER)
        """When a process was last answered well for an account."""
        self._raised: defaultdict[tuple[str, int | None, str, str], deque[tuple[float, float]]] = defaultdict(deque)
        self._told_of_outage: set[str] = set()
        """Processes that owe the alarm of the present outage, or owed it."""

    # -- the engine --------------------------------------------------------------------------------------------

    def recorded(self, process: str, events: Sequence[EngineEvent]) -> None:
        """An alarm that is in the log reaches somebody."""
        for event in events:
            if event.kind == "ALARM":
                code, text = str(event.data["code"]), str(event.data["text"])
                now = self.case.now()
                self._owed.append(_Owed(process, "", code, NEVER, now + REACHES_WITHIN_S, text))
                self._count(process, event.client_id, code, text)

    def _count(self, process: str, client: int | None, code: str, text: str) -> None:
        wire, market = self.case.now(), self.case.house.clock.now().timestamp()
        raised = self._raised[process, client, code, cause_of(text)]
        while raised and (raised[0][0] <= wire - 60.0 or raised[0][1] <= market - 60.0):
            raised.popleft()
        raised.append((wire, market))
        words = f"{process} raised {code} {len(raised)} times in a minute: {text}"
        self.case.check("I18", holds=len(raised) <= MOST_A_MINUTE, otherwise=words)

    # -- the broker --------------------------------------------------------------------------------------------

    def answered(self, account: str, request: Request) -> None:
        """A good answer ends what was wrong with a session."""
        self._served_at[request.caller.process, account] = self.case.now()

    def refused(self, account: str, request: Request, status: int | None, error_type: str) -> None:
        """A dead session, or an address that is not allowed, is told at once; a known one is not told again."""
        code, process = _cause(request, status, error_type), request.caller.process
        if not code or any((one.process, one.account, one.code) == (process, account, code) for one in self._owed):
            return
        since = NEVER if code == "EGRESS_REFUSED" else self._served_at[process, account]
        until = self.case.now() + REACHES_WITHIN_S
        self._owed.append(_Owed(process, account, code, since, until, f"{status} {error_type}"))

    # -- time --------------------------------------------------------------------------------------------------

    def stepped(self) -> None:
        """See what is told, and what is overdue."""
        self._look_at_database()
        for owed in list(self._owed):
            if self._is_paid(owed):
                self._owed.remove(owed)
                self.case.look("I18")
            elif self._is_away(owed.process):
                self._owed.remove(owed)
            elif self.case.now() > owed.until:
                self._owed.remove(owed)
                whom = owed.account or owed.process
                self.case.found("I18", f"{owed.code} of {whom} was not told within {REACHES_WITHIN_S} s: {owed.text}")

    def ended(self) -> None:
        """What the log has is told by the end of the day."""
        self.stepped()

    def _look_at_database(self) -> None:
        """A database that stays away is told past it, by whoever spoke before it went and sees that it is away."""
        away_since = self.case.away_since
        if away_since is None:
            self._told_of_outage.clear()
            return
        stood_in = any(told.code == "STANDBY_STANDS_IN" and told.at >= away_since for told in self.case.told)
        for process in self.case.alive():
            if stood_in and process.is_standby:
                continue  # it has said so by that word
            name, since = process.life.name, max(away_since, process.awake_since)
            if name in self._told_of_outage or self.case.now() - since < NOTICED_WITHIN_S:
                continue
            speaks = any(self.case.owner_of(account) == name for account in self.case.store.accounts)
            if speaks and any(begun == name for begun, _ in self.case.reconciled):
                self._told_of_outage.add(name)
                until = since + NOTICED_WITHIN_S + REACHES_WITHIN_S
                self._owed.append(_Owed(name, "", "DATABASE_AWAY", since, until, "the database is away"))

    def _is_paid(self, owed: _Owed) -> bool:
        return any(told.at >= owed.since and _names(told, owed) for told in self.case.told)

    def _is_away(self, name: str) -> bool:
        """Say whether a process can tell nobody anything: dead, or standing still."""
        process = self.case.process_of(name)
        return process is None or process.life.is_dead or process.life.is_stopped


def _cause(request: Request, status: int | None, error_type: str) -> str:
    """Give the alarm that a refusal asks for. Reads and cancels from a wrong address are told by what they lack."""
    if status != 403:
        return ""
    if error_type == "TokenException":
        return "BROKER_SIGN_IN"
    return "EGRESS_REFUSED" if error_type == "PermissionException" and request.method == "POST" else ""


def _names(told: Told, owed: _Owed) -> bool:
    if told.code != owed.code:
        return False
    return owed.account in told.text if owed.account else told.text == owed.text or owed.code == "DATABASE_AWAY"
