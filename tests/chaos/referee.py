"""What must be true of a running installation, judged from outside: the exchange's ledger beside the database."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.days.stack import RunningStack
from trading.engine.rate import SLOW_FOR_S

IN_DOUBT = "IN_DOUBT"
UNSETTLED = ("NEW", "SENDING", IN_DOUBT)
SLOW_FOR = timedelta(seconds=SLOW_FOR_S + 5)
SLOW = """
select distinct a.id as account_id from trading_eventlog e join trading_brokeraccount a on a."key" = e.account_key
where e.kind = 'SLOWED_DOWN' and e.wall_at > ?
"""
STATES = """
select 'the house' as name, state, state_reason from trading_house
union all select u.email, c.state, c.state_reason from trading_client c join trading_user u on u.id = c.user_id
union all select a."key", s.state, s.state_reason
from trading_accountcontrol s join trading_brokeraccount a on a.id = s.account_id
"""


LOOKS, LOOKS_AGAIN_AFTER_S = 3, 1.0


def lasting(
    wrong: Callable[[], list[str]], until_settled: Callable[[], object], again_after_s: float = LOOKS_AGAIN_AFTER_S
) -> list[str]:
    """Give what is wrong at every one of some looks.

    The books are read one after the other while the engine works: an exit that leaves just then is in one alone.
    """
    for _ in range(LOOKS):
        until_settled()
        found = wrong()
        if not found:
            return []
        time.sleep(again_after_s)
    return found


class Referee:
    """Reads both books of one stack and says what is wrong, each thing as one sentence with its rule."""

    def __init__(self, stack: RunningStack) -> None:
        self._stack = stack

    def complaints(self) -> list[str]:
        """Give everything that is wrong now, while nothing is on its way."""
        ledger = self._stack.control("/ledger")
        intents = self._stack.rows(
            "select i.tag, i.state, i.epoch, i.claimed_at, i.order_id, a.broker_user_id as user_id,"
            " (select max(e.id) from trading_eventlog e where e.tag = i.tag and e.kind = 'GATE') as place"
            " from trading_orderintentrow i join trading_brokeraccount a on a.id = i.account_id"
        )
        return [
            *_orders_have_one_intent(ledger, intents),
            *_nothing_turned_a_position_around(ledger),
            *_epochs_never_go_back(intents),
            *self._fills_agree(ledger),
        ]

    def stopped(self) -> list[str]:
        """Give whom something keeps from entering. Whoever stopped somebody lets them go on, so nobody may be left."""
        rows = self._stack.rows(STATES)
        return [f"{row['name']} is {row['state']}: {row['state_reason']}" for row in rows if row["state"] != "ACTIVE"]

    def unsettled(self) -> list[str]:
        """Give what is still on its way: orders without a fate, fills and orders that the database has not seen.

        An entry may be in doubt for two minutes after the last death (F17), and waits for half a minute where the
        broker was asked too often (F15): it is not named meanwhile.
        """
        slow = {row["account_id"] for row in self._stack.rows(SLOW, datetime.now(UTC) - SLOW_FOR)}
        marks = ",".join("?" * len(UNSETTLED))
        sql = f"select tag, state, is_exit, account_id from trading_orderintentrow where state in ({marks})"  # noqa: S608
        rows = [row for row in self._stack.rows(sql, *UNSETTLED) if row["is_exit"] or not _may_wait(row, slow)]
        ledger = self._stack.control("/ledger")
        known = self._stack.rows(
            "select i.tag, a.broker_user_id as user_id from trading_orderintentrow i"
            " join trading_brokeraccount a on a.id = i.account_id"
        )
        waiting = [f"{row['tag']} is {row['state']}" for row in rows]
        return waiting + _orders_have_one_intent(ledger, known) + self._fills_agree(ledger)

    def open_positions(self) -> dict[str, int]:
        """Give what the exchange has open: units by user and instrument."""
        return {
            f"{user_id} {position['instrument']}": position["net_quantity"]
            for user_id, account in self._stack.control("/ledger").items()
            for position in account["positions"]
            if position["net_quantity"]
        }

    def _fills_agree(self, ledger: dict[str, Any]) -> list[str]:
        """I9: every trade of the exchange is one fill of ours, and the other way round."""
        ours = Counter(
            (row["user_id"], row["trade_id"], row["quantity"])
            for row in self._stack.rows(
                "select a.broker_user_id as user_id, f.trade_id, f.quantity"
                " from trading_fill f join trading_brokeraccount a on a.id = f.account_id"
            )
        )
        theirs = Counter(
            (user_id, str(trade["trade_id"]), trade["quantity"])
            for user_id, account in ledger.items()
            for trade in account["trades"]
        )
        return [f"I9: fills {kind}: {sorted(some)[:3]}" for kind, some in _differences(ours, theirs) if some]


def _may_wait(entry: dict[str, Any], slow: set[int]) -> bool:
    return bool(entry["state"] == IN_DOUBT or (entry["state"] == "NEW" and entry["account_id"] in slow))


def _differences(ours: "Counter[Any]", theirs: "Counter[Any]") -> Sequence[tuple[str, "Counter[Any]"]]:
    return (("that the exchange does not know", ours - theirs), ("that the database lacks", theirs - ours))


def _orders_have_one_intent(ledger: dict[str, Any], intents: Sequence[dict[str, Any]]) -> list[str]:
    """I1: each order of ours at the exchange is one intent, and no intent is two orders."""
    known = {(row["user_id"], row["tag"]) for row in intents}
    seen = Counter(
        (user, order["tag"]) for user, account in ledger.items() for order in account["orders"] if order["tag"]
    )
    return [f"I1: {count} orders under the tag {tag} of {user}" for (user, tag), count in seen.items() if count > 1] + [
        f"I1: the order with the tag {tag} of {user} has no intent" for user, tag in seen if (user, tag) not in known
    ]


def _nothing_turned_a_position_around(ledger: dict[str, Any]) -> list[str]:
    """I4: no order takes a position through zero."""
    wrong = []
    for user_id, account in ledger.items():
        net: dict[str, int] = defaultdict(int)
        for trade in sorted(account["trades"], key=lambda trade: (trade["at"], int(trade["trade_id"]))):
            before = net[trade["instrument"]]
            net[trade["instrument"]] += trade["quantity"] if trade["side"] == "BUY" else -trade["quantity"]
            if before * net[trade["instrument"]] < 0:
                wrong.append(
                    f"I4: {user_id} {trade['instrument']} went from {before:+d} to {net[trade['instrument']]:+d}"
                )
    return wrong


def _epochs_never_go_back(intents: Sequence[dict[str, Any]]) -> list[str]:
    """I14: claims never go back to an older epoch; in the order of the log, as clocks may have been set."""
    newest, wrong = 0, []
    claimed = [row for row in intents if row["claimed_at"] is not None]
    for row in sorted(claimed, key=lambda row: int(row["place"])):
        if row["epoch"] < newest:
            wrong.append(f"I14: {row['tag']} was claimed under epoch {row['epoch']} after {newest}")
        newest = max(newest, row["epoch"])
    return wrong
