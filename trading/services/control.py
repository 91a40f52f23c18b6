"""What people ask of the engine: stop, square off, exit, look again, go on. Each is a committed row first.

A publisher, where one is given, tells pages and engine after the commit; losing that message loses nothing,
because the engine reads the rows anyway.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction

from trading.domain.control import CommandKind, TradingState
from trading.domain.errors import RiskDenied
from trading.domain.timezone import ist_day, to_ist
from trading.models import BrokerAccount, Client, CommandRow, House, User
from trading.ports import Clock, EngineEvent, LivePublisher
from trading.services.events import actor, market_now
from trading.stores import commands
from trading.stores.chain import append_events
from trading.stores.controls import control_row, lower_state
from trading.stores.locks import CONTROL, chain_lock, take


def press_kill(
    client: Client | None,
    by: User | None,
    *,
    clock: Clock,
    leave_positions: bool | None = None,
    publisher: LivePublisher | None = None,
) -> CommandRow:
    """Stop one client, or with None the whole house: no entry passes the gate after this commits.

    `by` None is the machine's own command line. `leave_positions` None means the client's own choice (for the house:
    each client's). Pressed again while the engine still works on the same, it gives the same command.
    Raises PermissionDenied for somebody else's client.
    """
    _check_may_act(by, client)
    client_id = client.pk if client else None
    if client is not None and leave_positions is None:
        leave_positions = not client.squares_off_on_kill
    with transaction.atomic():
        take([CONTROL, chain_lock(client_id)])
        before = control_row(client_id).state
        row = lower_state(
            client_id, TradingState.REDUCING, f"kill switch by {actor(by)}", latch_day=None, wall=clock.wall()
        )
        command = _ask(CommandKind.KILL, client_id, {"leave_positions": leave_positions}, by=by, clock=clock)
        told = {"was": before, "state": row.state, "leave_positions": leave_positions, "command": command.pk}
        _record(client_id, "KILL_PRESSED", told, by=by, clock=clock)
        _publish_state(publisher, client_id, row)
    return command


def raise_state(
    client: Client | None,
    by: User,
    reason: str,
    *,
    clock: Clock,
    publisher: LivePublisher | None = None,
) -> Client | House:
    """Let a client, or with None the house, trade again. Only a person does this, never a machine.

    Raises RiskDenied: KILL_RUNNING while a kill is being carried out, LATCHED when a limit was reached today
    and no operator gives a reason. Raises PermissionDenied for somebody else's client.
    """
    _check_may_act(by, client)
    client_id, today = (client.pk if client else None), ist_day(market_now(clock))
    with transaction.atomic():
        take([CONTROL, chain_lock(client_id)])
        row = control_row(client_id)
        if _unfinished(CommandKind.KILL, client_id):
            raise RiskDenied("KILL_RUNNING", "the kill switch is still being carried out; wait until it says flat")
        latched = row.latched_reason_on(today)
        if row.latched_day == today and not (by.is_operator and reason.strip()):
            raise RiskDenied("LATCHED", f"trading stays off until the next session: {latched}")
        told = {"was": row.state_on(today), "state": TradingState.ACTIVE, "reason": reason, "latch_lifted": latched}
        row.state, row.state_reason, row.state_changed_at = TradingState.ACTIVE, reason[:200], clock.wall()
        row.latched_day, row.latched_state, row.latched_reason = None, TradingState.ACTIVE, ""
        row.save()
        _record(client_id, "STATE_RAISED", told, by=by, clock=clock)
        _publish_state(publisher, client_id, row)
    return row


def request_square_off(client: Client, day: date, *, clock: Clock, requested_by: User | None = None) -> CommandRow:
    """Ask for a client to be squared off. Without a person it is the scheduled one: one command a client and day.

    A person's request joins one that is not finished yet.
    """
    _check_may_act(requested_by, client)
    is_scheduled = requested_by is None
    once_key = f"square-off:{client.pk}:{day.isoformat()}" if is_scheduled else ""
    with transaction.atomic():
        take([CONTROL, chain_lock(client.pk)])
        return _ask(
            CommandKind.SQUARE_OFF,
            client.pk,
            {"scheduled": is_scheduled},
            by=requested_by,
            clock=clock,
            day=day,
            once_key=once_key,
        )


def request_due_square_offs(day: date, *, clock: Clock) -> CommandRow:
    """Ask for everything to be squared off that is due by now, for whichever client: once a market minute."""
    at = to_ist(market_now(clock))
    with transaction.atomic():
        take([CONTROL, chain_lock(None)])
        once_key = f"square-off-due:{day.isoformat()}:{at:%H:%M}"
        arguments = {"scheduled": True, "only_due": True}
        return _ask(CommandKind.SQUARE_OFF, None, arguments, by=None, clock=clock, day=day, once_key=once_key)


def exit_position(client: Client, account_key: str, instrument: str, *, by: User, clock: Clock) -> CommandRow:
    """Ask for one position to be closed at the market. Raises BrokerAccount.DoesNotExist for a stranger's account."""
    _check_may_act(by, client)
    account = BrokerAccount.objects.get(key=account_key, owner=client.user)
    with transaction.atomic():
        take([CONTROL, chain_lock(client.pk)])
        arguments = {"account_key": account.key, "instrument": instrument}
        return _ask(CommandKind.EXIT_POSITION, client.pk, arguments, by=by, clock=clock)


def request_reload(client: Client | None, *, by: User | None, clock: Clock) -> CommandRow:
    """Ask the engine to read limits, accounts and watchlist again."""
    client_id = client.pk if client else None
    with transaction.atomic():
        take([CONTROL, chain_lock(client_id)])
        return _ask(CommandKind.RELOAD, client_id, {}, by=by, clock=clock)


def _check_may_act(by: User | None, client: Client | None) -> None:
    if by is not None and not by.is_operator and (client is None or client.user_id != by.pk):
        raise PermissionDenied("this is somebody else's account")


def _unfinished(kind: CommandKind, client_id: int | None) -> list[CommandRow]:
    rows = CommandRow.objects.filter(kind=kind, finished_at=None).order_by("id")
    return list(rows.filter(client=None) if client_id is None else rows.filter(client_id=client_id))


def _ask(
    kind: CommandKind,
    client_id: int | None,
    arguments: Mapping[str, Any],
    *,
    by: User | None,
    clock: Clock,
    day: date | None = None,
    once_key: str = "",
) -> CommandRow:
    """Write the command and its event, or give the unfinished one of the same words (a double click)."""
    at = market_now(clock)
    day = day or ist_day(at)
    if not once_key:
        for same in _unfinished(kind, client_id):
            if same.arguments == arguments and (same.day == day or kind.outlives_its_day):
                return same
    command, is_new = commands.ask(
        kind, client_id, day=day, at=at, arguments=arguments, requested_by=by, once_key=once_key
    )
    if is_new and kind is not CommandKind.KILL:  # a kill has its own line
        told = {"command": command.pk, "kind": kind, **arguments}
        _record(client_id, "COMMAND_GIVEN", told, by=by, clock=clock)
    return command


def _record(client_id: int | None, kind: str, data: Mapping[str, Any], *, by: User | None, clock: Clock) -> None:
    event = EngineEvent(client_id=client_id, kind=kind, at=market_now(clock), data={**data, "by": actor(by)})
    append_events([event], wall=clock.wall())


def _publish_state(publisher: LivePublisher | None, client_id: int | None, row: Client | House) -> None:
    if publisher is not None:
        data = {"state": row.state, "reason": row.state_reason}
        transaction.on_commit(lambda: publisher.publish(client_id, "state", data), robust=True)
