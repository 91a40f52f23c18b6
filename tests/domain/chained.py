"""Events of an engine's memory as lines of chains, as the database would have written them."""

from collections import defaultdict
from collections.abc import Iterable

from trading.domain.chains import LogLine, canonical
from trading.ports import EngineEvent


def as_chains(events: Iterable[EngineEvent]) -> dict[str, list[LogLine]]:
    """Give each client's lines in order, without hashes."""
    chains: dict[str, list[LogLine]] = defaultdict(list)
    for event in events:
        lines = chains[f"client:{event.client_id}" if event.client_id is not None else "house"]
        place = (event.account_key, event.instrument, event.tag)
        lines.append(LogLine(len(lines) + 1, event.kind, event.at, event.at, *place, canonical(event.data), ""))
    return dict(chains)
