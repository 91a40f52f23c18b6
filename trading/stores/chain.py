"""The event log's writing and reading: hash chains whose head row is locked by whoever appends."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from trading.domain.chains import LogLine, canonical
from trading.models import EventChain, EventLog
from trading.ports import EngineEvent
from trading.stores.locks import chain_lock, chain_name, take

PAGE = 5_000
COLUMNS = ("seq", "kind", "at", "wall_at", "account_key", "instrument", "tag", "body", "prev_hash", "hash")


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
    return LogLine(*(getattr(row, column) for column in COLUMNS)).computed_hash(name)


def lines_of(chain: EventChain, *, after: int = 0) -> Iterator[LogLine]:
    """Read a chain's lines behind number `after`, in order, page by page: no long transaction, constant memory."""
    rows = EventLog.objects.filter(chain=chain).order_by("seq")
    while True:
        page = [LogLine(*values) for values in rows.filter(seq__gt=after).values_list(*COLUMNS)[:PAGE]]
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].seq
