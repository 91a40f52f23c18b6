"""The one gate, last before the wire. Every order passes here, in one fixed order of checks, and each verdict is kept.

Kill state, lease, then for entries session, reconciled, fresh tick and caps, for exits reduce-only, then the rules of
an order. The rate budget and the claim (stores/intents.py) add their own verdicts. It fails closed for entries: what is
unknown denies. Exits are held only by what would make them wrong; one whose check breaks goes by `second_path`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trading.domain.control import state_denial
from trading.domain.risk import Denial, check_reduce_only
from trading.engine.entry_checks import EntryChecks
from trading.engine.order_rules import check_order_rules
from trading.engine.orders import Working
from trading.engine.sight import Finding, Sight
from trading.engine.tools import Way

Verdict = Mapping[str, Any]
GATE_ERROR = "GATE_ERROR"


@dataclass(frozen=True)
class GateResult:
    """All verdicts up to the first denial; `denial` is None when the order may be claimed."""

    verdicts: tuple[Verdict, ...]
    denial: Denial | None

    @property
    def is_broken(self) -> bool:
        """True when a check failed instead of judging."""
        return self.denial is not None and self.denial.code == GATE_ERROR

    def and_then(self, name: str, finding: Finding) -> "GateResult":
        """Add one more verdict, which counts."""
        return GateResult((*self.verdicts, verdict_of(name, finding)), finding.denial)


def verdict_of(name: str, finding: Finding) -> dict[str, Any]:
    """Give a verdict in the form of the log: `{"check", "ok", "facts"}`, when denied with `code` and `message`."""
    told: dict[str, Any] = {"check": name, "ok": finding.denial is None}
    if finding.denial is not None:
        told |= {"code": finding.denial.code, "message": finding.denial.message}
    return told | {"facts": dict(finding.facts)}


class Gate:
    """The checks of one account's orders."""

    def __init__(self, sight: Sight) -> None:
        self.sight = sight
        self._entry = EntryChecks(sight)

    def check(self, working: Working) -> GateResult:
        """Judge one order now. An error inside a check denies, too."""
        result = GateResult((), None)
        for name, look in self._checks(working):
            try:
                finding = look()
            except Exception as error:
                finding = Finding(Denial(GATE_ERROR, f"the check {name} failed: {error!r}"))
            result = result.and_then(name, finding)
            if result.denial is not None:
                break
        return result

    def _checks(self, working: Working) -> Iterator[tuple[str, Callable[[], Finding]]]:
        if not working.purpose.is_exit:
            yield "kill_file", self.kill_file
        yield "kill_state", lambda: self._kill_state(working)
        yield "lease", lambda: self._lease(working)
        if working.purpose.is_exit:
            yield "reduce_only", lambda: self._reduce_only(working)
        else:
            yield from self._entry.all(working)
        yield "order_rules", lambda: check_order_rules(self.sight, working)

    def kill_file(self) -> Finding:
        """Look at the kill directory now: it counts while database, Redis and web are down, too."""
        sight = self.sight
        why = sight.control.why_file(sight.client.client_id, sight.desk.ref.key)
        return Finding(Denial("KILL_SWITCH", why) if why else None, {"why": why})

    def _kill_state(self, working: Working) -> Finding:
        control, client_id = self.sight.control, self.sight.client.client_id
        states = {
            "house": control.house,
            "client": control.of(client_id),
            "account": control.of_account(self.sight.desk.ref.key),
        }
        facts = {level: state.value for level, state in states.items()}
        if working.is_withdrawn:
            return Finding(Denial("WITHDRAWN", "the order was withdrawn before it was sent"), facts)
        found = state_denial(working.purpose, **states)
        latched = control.latched.get(client_id)
        if found is not None and latched:
            return Finding(Denial("LATCHED", latched), facts)
        return Finding(Denial(*found) if found else None, facts)

    def _lease(self, working: Working) -> Finding:
        right = self.sight.tools.right
        way = right.way()
        facts = {"epoch": right.epoch, "way": way.value, "may_enter": right.may_enter}
        if way is not Way.STORE and not (working.purpose.is_exit and way is Way.JOURNAL):
            return Finding(Denial("LEASE_LOST", f"the lease of epoch {right.epoch} was not renewed in time"), facts)
        if not working.purpose.is_exit and not facts["may_enter"]:
            return Finding(Denial("STANDBY", "the standby took over and only exits"), facts)
        return Finding(None, facts)

    def _reduce_only(self, working: Working) -> Finding:
        instrument, intent, orders = working.intent.key.instrument, working.intent, self.sight.desk.orders
        asked = {
            "net_quantity": orders.net(instrument),
            "working_exit_quantity": orders.working_exit_units(instrument, besides=working),
            "signed_quantity": intent.side.sign * intent.quantity,
        }
        return Finding(check_reduce_only(**asked), asked)
