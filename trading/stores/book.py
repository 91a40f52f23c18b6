"""What an engine needs to begin or to go on with a day, and the control rows at this moment."""

from dataclasses import replace
from datetime import date

from django.db.models import Q, QuerySet

from trading.domain.control import CommandKind, TradingState
from trading.domain.orders import IntentState
from trading.models import (
    BrokerAccount,
    Client,
    CommandRow,
    Fill,
    House,
    LadderState,
    OrderIntentRow,
    QuantityMode,
    WatchItem,
)
from trading.models.house import ONLY_ROW
from trading.ports import (
    AccountRef,
    ClientPolicy,
    Command,
    ControlView,
    DayBook,
    LadderRecord,
    Plan,
    StoredIntent,
)
from trading.stores import ladder_stops
from trading.stores.controls import account_states
from trading.stores.instruments import unfit
from trading.stores.ranges import LineRange, line_config, line_ranges
from trading.stores.reconciliation import adoptions_of


def load_book(day: date) -> DayBook:
    """Read the whole day. An account that was disabled stays in it while it has orders of that day."""
    intents = OrderIntentRow.objects.filter(day=day).select_related("account").order_by("id")
    fills = Fill.objects.filter(day=day).select_related("account").order_by("filled_at", "id")
    ladders = LadderState.objects.filter(day=day).select_related("account")
    plans, unfit_ones = _plans(day)
    return DayBook(
        day=day,
        house_state=house_state(day),
        clients=tuple(_policy(client, day) for client in Client.objects.select_related("user").order_by("id")),
        accounts=tuple(_account_ref(account) for account in _accounts(day)),
        plans=plans,
        intents=tuple(stored_intent(row) for row in intents),
        trades=tuple((row.account.key, row.to_trade()) for row in fills),
        ladders=tuple(LadderRecord(row.account.key, row.instrument, row.snapshot) for row in ladders),
        squared_off=_squared_off(day),
        house_caps=(House.objects.filter(id=ONLY_ROW).first() or House()).caps(),
        adoptions=adoptions_of(day),
        unfit=unfit_ones,
    )


def read_control(day: date) -> ControlView:
    """Read states, today's latches and the commands that are not finished and still meant.

    The engine asks ten times a second: no column and no question more than it needs.
    """
    clients = list(Client.objects.only("state", "latched_day", "latched_state", "latched_reason").order_by("id"))
    stopped, allowed_again = ladder_stops.stops_of(day)
    outliving = [kind for kind in CommandKind if kind.outlives_its_day]
    commands = CommandRow.objects.filter(Q(day=day) | Q(kind__in=outliving), finished_at=None).order_by("id")
    return ControlView(
        house_state=house_state(day),
        states={client.pk: client.state_on(day) for client in clients},
        accounts=account_states(day),
        latched={client.pk: client.latched_reason for client in clients if client.latched_reason_on(day)},
        commands=tuple(
            Command(row.pk, CommandKind(row.kind), row.client_id, row.arguments, row.created_at, row.path)
            for row in commands
        ),
        stopped_ladders=stopped,
        allowed_again=allowed_again,
    )


def house_state(day: date) -> TradingState:
    """Give the house's state on a market day."""
    house = House.objects.filter(id=ONLY_ROW).only("state", "latched_day", "latched_state").first()
    return TradingState.ACTIVE if house is None else house.state_on(day)


def stored_intent(row: OrderIntentRow) -> StoredIntent:
    """Give intent, state and order together. Needs `account` loaded."""
    return StoredIntent(row.to_intent(), IntentState(row.state), row.to_order(), row.decided_at, row.changes)


def _squared_off(day: date) -> frozenset[int]:
    asked = CommandRow.objects.filter(kind=CommandKind.SQUARE_OFF, day=day).exclude(client=None)
    return frozenset(asked.values_list("client_id", flat=True))


def _accounts(day: date) -> "QuerySet[BrokerAccount]":
    in_use = OrderIntentRow.objects.filter(day=day).values("account_id")
    known = BrokerAccount.objects.filter(owner__client__isnull=False).exclude(key="")
    return known.filter(Q(is_enabled=True) | Q(pk__in=in_use)).select_related("owner__client").order_by("id")


def _account_ref(account: BrokerAccount) -> AccountRef:
    return AccountRef(
        account_id=account.pk,
        key=account.key,
        client_id=account.owner.client.pk,
        broker=account.broker,
        algo_id=account.algo_id,
        egress_ip=account.egress_ip or "",
    )


def _policy(client: Client, day: date) -> ClientPolicy:
    return ClientPolicy(
        client_id=client.pk,
        label=client.label,
        state=client.state_on(day),
        squares_off_on_kill=client.squares_off_on_kill,
        square_off_at=client.square_off_at,
        no_new_entry_after=client.no_new_entry_after,
        latched_reason=client.latched_reason_on(day),
        disaster_stop_percent=client.disaster_stop_percent,
        **client.limits_on(day),
    )


def _plans(day: date) -> tuple[tuple[Plan, ...], dict[str, str]]:
    """Give what onboarded clients trade, each line with its range of the day, and the instruments that are unfit.

    A line that is switched off stays in it, to be carried to its end, while it has orders of that day.
    """
    lines = WatchItem.objects.exclude(account__key="").select_related("account", "instrument", "mapping__strategy")
    lines = lines.order_by("client_id", "position", "id")
    on = list(
        lines.filter(
            Q(mapping=None) | Q(mapping__is_enabled=True, mapping__strategy__is_active=True),
            trades_enabled=True,
            account__is_enabled=True,
            client__user__is_active=True,
            client__onboarded_at__isnull=False,
        )
    )
    ordered = set(OrderIntentRow.objects.filter(day=day).values_list("account_id", "instrument").distinct())
    others = lines.filter(account__in={account for account, _ in ordered}).exclude(pk__in=[item.pk for item in on])
    off = [item for item in others if (item.account_id, item.instrument.key) in ordered]
    both = [*on, *off]
    ranges = line_ranges(both, day)
    plans = [_plan(item, ranges[item.pk]) for item in on]
    plans += [replace(_plan(item, ranges[item.pk]), is_closing=True) for item in off]
    return tuple(plan for plan in plans if plan.instrument.is_tradable), unfit([one.instrument for one in both], day)


def _plan(item: WatchItem, known: LineRange) -> Plan:
    is_fixed = item.quantity_mode == QuantityMode.FIXED
    return Plan(
        account_key=item.account.key,
        instrument=item.instrument.to_domain(),
        config=line_config(item),
        quantity=item.quantity if is_fixed else None,
        capital=None if is_fixed else item.capital,
        day_range=known.range,
        why_no_range=known.why_not if known.is_final else "",
    )
