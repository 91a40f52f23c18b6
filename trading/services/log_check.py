"""Checks the event log: every chain in itself, against its head, and against the anchors kept outside the database."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from trading.domain.chains import Break, BreakKind, ChainCheck
from trading.domain.decision_replay import DecisionReplay
from trading.models import EventChain
from trading.services.anchors import Anchors, read_anchors
from trading.stores.append_only import missing_triggers
from trading.stores.calendar import market_calendar
from trading.stores.chain import lines_of
from trading.stores.locks import chain_name

MOST_TOLD = 100
"""Wrong decisions that a report names; one of them is one too many."""


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What checking one chain found. `lines` is how many verify, `anchored_to` the last one an anchor confirmed."""

    name: str
    lines: int
    anchored_to: int
    broken: Break | None

    def as_dict(self) -> dict[str, Any]:
        """Give the form for machines."""
        broken = self.broken
        return {
            "chain": self.name,
            "lines": self.lines,
            "anchored_to": self.anchored_to,
            "broken_at": broken.seq if broken else None,
            "what": broken.kind.value if broken else None,
            "text": broken.text if broken else "",
        }


@dataclass(frozen=True, slots=True)
class LogReport:
    """The whole log. `warnings` are no breaks: guards that are missing, anchors that cannot be read."""

    chains: tuple[ChainReport, ...]
    anchors: int
    warnings: tuple[str, ...]
    wrong_decisions: tuple[str, ...] = ()
    decisions: int = 0
    verdicts: int = 0

    @property
    def is_whole(self) -> bool:
        """True when no chain breaks, and no decision contradicts what it was decided by."""
        return all(chain.broken is None for chain in self.chains) and not self.wrong_decisions

    @property
    def lines(self) -> int:
        """How many lines verify."""
        return sum(chain.lines for chain in self.chains)


def check_log(client_id: int | None = None, *, is_whole_log: bool = True, anchors: Anchors | None = None) -> LogReport:
    """Check all chains, or with `is_whole_log` False that of one client (None is the house's)."""
    anchors = read_anchors() if anchors is None else anchors
    chains = EventChain.objects.order_by("id")
    found = list(chains if is_whole_log else chains.filter(name=chain_name(client_id)))
    reports = [check_chain(chain, anchors) for chain in found]
    if is_whole_log:
        reports += _vanished({chain.name for chain in found}, anchors)
    return LogReport(tuple(reports), anchors.count, tuple(_warnings(anchors)))


def check_chain(chain: EventChain, anchors: Anchors) -> ChainReport:
    """Walk along one chain, also while the engine appends to it."""
    check = ChainCheck(chain.name, anchors.of.get(chain.name, {}))
    while True:
        before = check.seq
        if not all(check.take(line) for line in lines_of(chain, after=check.seq)):
            break
        chain.refresh_from_db()
        if check.seq < chain.last_seq and check.seq > before:
            continue  # lines that came meanwhile
        check.end(last_seq=chain.last_seq, last_hash=chain.last_hash)
        break
    return ChainReport(chain.name, check.seq, check.anchored_to, check.broken)


def _vanished(known: set[str], anchors: Anchors) -> Iterator[ChainReport]:
    """Give the chains that anchors remember and the database does not have at all."""
    for name, noted in anchors.of.items():
        if name not in known:
            text = f"the whole chain is gone: an anchor knows line {max(noted)} of it"
            yield ChainReport(name, 0, 0, Break(1, BreakKind.CUT, text))


def _warnings(anchors: Anchors) -> Iterable[str]:
    if missing := missing_triggers():
        yield f"the database does not refuse changes of the log: {', '.join(missing)} missing"
    if not anchors.count:
        yield "no anchors: a cut end whose head was put back as well cannot be found"
    yield from anchors.problems


def check_decisions(report: LogReport) -> LogReport:
    """Replay the chains that are whole: each decision and each verdict must follow from what it was decided by."""
    wrong: list[str] = []
    decisions = verdicts = 0
    for chain in EventChain.objects.filter(name__in=[one.name for one in report.chains if one.broken is None]):
        replay = DecisionReplay(market_calendar())
        for line in lines_of(chain):
            wrong += [f"{chain.name} {text}" for text in replay.take(line)]
        wrong += [f"{chain.name} {text}" for text in replay.end()]
        decisions, verdicts = decisions + replay.decisions, verdicts + replay.verdicts
    return replace(report, wrong_decisions=tuple(wrong[:MOST_TOLD]), decisions=decisions, verdicts=verdicts)
