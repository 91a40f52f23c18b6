"""How a stack stood when a trouble was not survived: what a person would look up, as one text.

Each look stands by itself: a database or a control port that does not answer any more hides nothing else.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from tests.chaos.referee import Referee
from tests.days.stack import RunningStack

LATEST = 15
"""Events an account."""
EVENT_LENGTH = 240
LOOKS_APART_S = 1.0
LOG_LINES = 60
NOISE = ("GATE", "LADDER_PLANNED", "LADDER_RESTORED", "ORDER_UPDATED", "ORDER_ACKED", "ENTRY_SETTLED")
"""Events that say nothing of why; what the gate denied is an ORDER_DENIED, too."""

CLIENTS = """
select u.email, c.state, c.state_reason, c.latched_reason, c.square_off_at, c.no_new_entry_after
from trading_client c join trading_user u on u.id = c.user_id order by c.id
"""
CRITICAL = """
select client_id, code, count, raised_at, last_at, undelivered_since, entries_stopped_at, text from trading_alarm
where severity = 'critical' order by last_at
"""
UNENDED = """
select a.broker_user_id, i.instrument, i.tag, i.purpose, i.state, i.order_status, i.epoch, i.decided_at, i.outcome
from trading_orderintentrow i join trading_brokeraccount a on a.id = i.account_id where i.closed_at is null
"""


def inquest(stack: RunningStack) -> str:
    """Give everything, a paragraph a look."""
    return "\n".join(_told(title, look) for title, look in _looks(stack))


def _told(title: str, look: Callable[[], Sequence[object]]) -> str:
    try:
        found = [str(one) for one in look()] or ["none"]
    except Exception as error:  # a part that does not answer is a finding like any other
        found = [f"could not be read: {error!r}"]
    return "\n".join([f"--- {title}", *found])


def _looks(stack: RunningStack) -> Iterator[tuple[str, Callable[[], Sequence[object]]]]:
    referee = Referee(stack)
    yield "market", lambda: [stack.control("/clock")]
    yield "faults in force", lambda: [one for one in stack.control("/faults")["rules"] if one["action"] != "jump"]
    yield "processes", lambda: stack.view()["processes"]
    yield "lease, twice", partial(_lease_twice, stack)
    yield "house", partial(stack.rows, "select state, state_reason from trading_house")
    yield "clients", partial(stack.rows, CLIENTS)
    yield "accounts", partial(stack.rows, "select account_id, state, state_reason from trading_accountcontrol")
    yield "stopped ladders", partial(stack.rows, "select instrument, reason, allowed_at from trading_ladderstop")
    yield "critical alarms", partial(stack.rows, CRITICAL)
    yield "commands not done", partial(stack.rows, "select * from trading_commandrow where finished_at is null")
    yield "orders that did not end", partial(stack.rows, UNENDED)
    yield "not settled", referee.unsettled
    yield "positions at the exchange", lambda: [referee.open_positions()]
    yield "exit journals", lambda: [f"{one.name} {one.stat().st_size}" for one in stack.state_dir.glob("engine/*")]
    yield "latest events", partial(_events, stack)
    yield "log", lambda: [stack.tail(LOG_LINES)]


def _lease_twice(stack: RunningStack) -> Sequence[object]:
    """An engine that lives lets the counter go on."""
    sql = "select holder, epoch, counter from trading_lease"
    first = stack.rows(sql)
    time.sleep(LOOKS_APART_S)
    return [*first, *stack.rows(sql)]


def _events(stack: RunningStack) -> Sequence[object]:
    """Give the latest events of each account, and those of none."""
    marks = ",".join("?" * len(NOISE))
    sql = "select id, at, account_key, instrument, tag, kind, body from trading_eventlog"
    sql += f" where account_key = ? and kind not in ({marks}) order by id desc limit {LATEST}"
    keys = [row["key"] for row in stack.rows("select key from trading_brokeraccount order by id")]
    return [
        " ".join(str(word) for word in row.values())[:EVENT_LENGTH]
        for key in ["", *keys]
        for row in reversed(stack.rows(sql, key, *NOISE))
    ]
