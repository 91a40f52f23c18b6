"""The event log's writing and checking: hash chains whose head row is locked by whoever appends."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from trading.models import EventChain, EventLog
from trading.ports import EngineEvent
from trading.stores.locks import chain_lock, chain_name, take


def canonical(data: Mapping[str, Any]) -> str:
    """Give JSON with sorted keys and no spaces; what JSON does not know becomes its `str`. NaN raises ValueError."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), default=str, allow_nan=False)


def append_events(events: Sequence[EngineEvent], *, wall: datetime) -> list[EventLog]:
    """Append to the chains of the events' clients and of the house. Needs a transaction.

    `wall` is real time. The order within a chain is the order given.
    """
    by_client: dict[int | None, list[EngineEvent]] = defaultdict(list)
    for event in events:
        by_client[event.client_id].append(event)
    take(chain_lock(client_id) for client_id in by_client)
    rows: list[EventLog] = []
    for client_id, theirs in by_client.items():
        rows.extend(_extend(EventChain.objects.get(name=chain_name(client_id)), theirs, wall))
    return EventLog.objects.bulk_create(rows)


def _extend(chain: EventChain, events: Sequence[EngineEvent], wall: datetime) -> list[EventLog]:
    rows = []
    for event in events:
        row = EventLog(
            chain=chain,
            seq=chain.last_seq + 1,
            kind=event.kind,
            at=event.at,
            wall_at=wall,
            account_key=event.account_key,
            instrument=event.instrument,
            tag=event.tag,
            body=canonical(event.data),
            prev_hash=chain.last_hash,
        )
        row.hash = event_hash(chain.name, row)
        chain.last_seq, chain.last_hash = row.seq, row.hash
        rows.append(row)
    chain.save(update_fields=["last_seq", "last_hash"])
    return rows


def event_hash(name: str, row: EventLog) -> str:
    """Hash one line of the chain `name` over all it says and the hash before it."""
    told = {
        "chain": name,
        "seq": row.seq,
        "kind": row.kind,
        "at": row.at.astimezone(UTC).isoformat(),
        "wall_at": row.wall_at.astimezone(UTC).isoformat(),
        "account_key": row.account_key,
        "instrument": row.instrument,
        "tag": row.tag,
        "body": row.body,
        "prev_hash": row.prev_hash,
    }
    return sha256(canonical(told).encode()).hexdigest()


def first_broken(client_id: int | None) -> int | None:
    """Give the first sequence number that does not verify; None when the whole chain does.

    A missing line is reported at its number, a cut-off end at the first number cut off.
    """
    chain = EventChain.objects.filter(name=chain_name(client_id)).first()
    if chain is None:
        return None
    seq, prev_hash = 0, ""
    for row in chain.events.order_by("seq").iterator():
        seq += 1
        if row.seq != seq or row.prev_hash != prev_hash or row.hash != event_hash(chain.name, row):
            return seq
        prev_hash = row.hash
    return None if (seq, prev_hash) == (chain.last_seq, chain.last_hash) else min(seq, chain.last_seq) + 1
