"""The lines of the exit journal: what is written ahead of an exit while the database is away, and what became of it.

A line is a checksum, a space, JSON and a newline. What is torn at the end was never told to be on the disk, so its
order was never sent; a line that is broken further up is damage, and is told.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import Any

from trading.domain.orders import IntentState, OrderIntent, OrderType, Product, Purpose, PurposeKey, Side

CHECKSUM_LETTERS = 16


@dataclass(frozen=True, slots=True)
class JournaledExit:
    """One exit that went, or may have gone, past the database. Times are aware; `sent_at` is market time."""

    intent: OrderIntent
    decided_at: datetime
    sent_at: datetime
    shard: str
    epoch: int
    reason: Mapping[str, Any] = field(default_factory=dict)
    verdicts: tuple[Mapping[str, Any], ...] = ()
    state: IntentState = IntentState.SENDING
    order_id: str = ""
    words: str = ""

    @property
    def tag(self) -> str:
        """The tag under which the broker knows it."""
        return self.intent.tag

    @property
    def account(self) -> str:
        """The account key."""
        return self.intent.key.account


class Word(StrEnum):
    """What a line tells."""

    AHEAD = "AHEAD"
    OUTCOME = "OUTCOME"
    IMPORTED = "IMPORTED"


@dataclass(frozen=True, slots=True)
class JournalText:
    """What a journal's bytes hold: whole lines, how many bytes of them are whole, and how many lines are damaged."""

    lines: tuple[dict[str, Any], ...]
    whole_bytes: int
    damaged: int


def ahead_line(exit_: JournaledExit) -> bytes:
    """Write what goes ahead of the order."""
    return _sealed({"word": Word.AHEAD, **asdict(exit_)})


def outcome_line(tag: str, state: IntentState, *, order_id: str, words: str) -> bytes:
    """Write what became of it."""
    return _sealed({"word": Word.OUTCOME, "tag": tag, "state": state, "order_id": order_id, "words": words})


def imported_line(tag: str, state: IntentState) -> bytes:
    """Write that the database has it in this state."""
    return _sealed({"word": Word.IMPORTED, "tag": tag, "state": state})


def read_journal(data: bytes) -> JournalText:
    """Read a journal's bytes; whatever follows the last newline is torn and passed over."""
    whole_bytes = data.rfind(b"\n") + 1
    lines, damaged = [], 0
    for raw in data[:whole_bytes].splitlines():
        line = _opened(raw)
        if line is None:
            damaged += 1
        else:
            lines.append(line)
    return JournalText(tuple(lines), whole_bytes, damaged)


def pending_exits(lines: Iterable[Mapping[str, Any]]) -> list[JournaledExit]:
    """Give the exits whose last state is not the one that was imported, in the order in which they were written."""
    found: dict[str, JournaledExit] = {}
    imported: dict[str, IntentState] = {}
    for line in lines:
        if line["word"] == Word.AHEAD:
            exit_ = _exit_of(line)
            found.setdefault(exit_.tag, exit_)
        elif line["word"] == Word.IMPORTED:
            imported[line["tag"]] = IntentState(line["state"])
        elif line["tag"] in found:
            known = found[line["tag"]]
            order_id, words = line["order_id"] or known.order_id, line["words"] or known.words
            state = IntentState(line["state"])
            found[known.tag] = replace(known, state=state, order_id=order_id, words=words)
    return [exit_ for tag, exit_ in found.items() if imported.get(tag) is not exit_.state]


_RANK = {
    IntentState.NEW: 0,
    IntentState.DENIED: 0,
    IntentState.SENDING: 1,
    IntentState.IN_DOUBT: 2,
    IntentState.ABSENT: 3,
    IntentState.REFUSED: 3,
    IntentState.ACKED: 4,
    IntentState.ADOPTED: 4,
}


def is_news(present: IntentState | None, journaled: IntentState) -> bool:
    """Say whether the journal knows more of an exit than the database, which has it as `present` or not at all.

    What was written ahead may have left, so it counts more than a denial of a row that was thought never sent.
    """
    if present is None or journaled is IntentState.DENIED:
        return present in (None, IntentState.NEW, IntentState.SENDING)
    return _RANK[journaled] > _RANK[present]


def gate_verdicts(exit_: JournaledExit) -> list[dict[str, Any]]:
    """Give the gate's verdicts with the journal's in the place of the claim's."""
    facts = {"shard": exit_.shard, "epoch": exit_.epoch, "journal": True}
    return [*(dict(one) for one in exit_.verdicts), {"check": "claim", "ok": True, "facts": facts}]


def _sealed(line: Mapping[str, Any]) -> bytes:
    text = json.dumps(line, sort_keys=True, separators=(",", ":"), default=str).encode()
    return b"%b %b\n" % (_checksum(text), text)


def _opened(raw: bytes) -> dict[str, Any] | None:
    checksum, _, text = raw.partition(b" ")
    if not text or checksum != _checksum(text):
        return None
    line: dict[str, Any] = json.loads(text)
    return line


def _checksum(text: bytes) -> bytes:
    return sha256(text).hexdigest()[:CHECKSUM_LETTERS].encode()


def _exit_of(line: Mapping[str, Any]) -> JournaledExit:
    return JournaledExit(
        intent=_intent_of(line["intent"]),
        decided_at=datetime.fromisoformat(line["decided_at"]),
        sent_at=datetime.fromisoformat(line["sent_at"]),
        shard=line["shard"],
        epoch=line["epoch"],
        reason=line["reason"],
        verdicts=tuple(line["verdicts"]),
        state=IntentState(line["state"]),
        order_id=line["order_id"],
        words=line["words"],
    )


def _intent_of(told: Mapping[str, Any]) -> OrderIntent:
    key = {**told["key"], "day": date.fromisoformat(told["key"]["day"]), "purpose": Purpose(told["key"]["purpose"])}
    values = {
        **told,
        "key": PurposeKey(**key),
        "side": Side(told["side"]),
        "order_type": OrderType(told["order_type"]),
        "product": Product(told["product"]),
        **{name: _decimal(told.get(name)) for name in ("price", "trigger_price")},
        "protection_percent": Decimal(told["protection_percent"]),
    }
    return OrderIntent(**values)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
