"""A client's event log as JSON lines, which anybody can check without our code (scripts/check_export.py).

First a header, then a line of the log each with its hash, then a footer; a file without its footer was cut off.
"""

import json
from collections.abc import Iterator
from datetime import date, time, timedelta
from itertools import takewhile
from typing import Any

from django.db.models import Max, Min

from trading.domain.timezone import at_ist
from trading.models import EventChain
from trading.stores.chain import lines_of

VERSION = 1


def export_lines(chain: EventChain, *, first: date | None = None, last: date | None = None) -> Iterator[str]:
    """Give the export of some market days, both included; None is from the beginning, or to the end.

    What was logged in between belongs to it, in one piece without gaps, so that the hashes can be followed.
    """
    rows = chain.events.all()
    since = None if first is None else at_ist(first, time())
    until = None if last is None else at_ist(last + timedelta(days=1), time())
    begins = rows.filter(at__gte=since).aggregate(seq=Min("seq"))["seq"] if since else 1
    ends = rows.filter(at__lt=until).aggregate(seq=Max("seq"))["seq"] if until else chain.last_seq
    if not begins or not ends or begins > ends:
        begins, ends = 1, 0  # nothing to give
    head = {"chain": chain.name, "first_seq": begins, "last_seq": ends}
    days = {"from": first and first.isoformat(), "to": last and last.isoformat()}
    yield _line({"export": "event log", "version": VERSION, **head, **days})
    count, hash_ = 0, ""
    for line in takewhile(lambda line: line.seq <= ends, lines_of(chain, after=begins - 1)):
        count, hash_ = count + 1, line.hash
        yield _line({**line.told(chain.name), "hash": line.hash})
    yield _line({"end": True, "lines": count, "last_hash": hash_, "head_seq": chain.last_seq})


def _line(told: dict[str, Any]) -> str:
    return json.dumps(told) + "\n"
