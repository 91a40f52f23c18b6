"""What people ask of the engine: stop, square off, exit, look again, go on. Each is a committed row first.

A publisher, where one is given, tells pages and engine after the commit; losing that message loses nothing,
because the engine reads the rows anyway.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction

from trading.domain.control import CommandKind, KillPath, TradingState, press_key
from trading.domain.errors import RiskDenied
from trading.domain.timezone import ist_day, to_ist
from trading.models import AccountControl, BrokerAccount, Client, CommandRow, User
from trading.ports import Clock, EngineEvent, KillPress, LivePublisher
from trading.services import kill_files
from trading.services.events import actor, market_now
from trading.stores import commands, kills, notices
from trading.stores.chain import append_events
from trading.stores.controls import ControlRow, control_row, seen_row
from trading.stores.locks import CONTROL, chain_lock, take


def press_kill(
    client: Client | None,
    by: User | None,
    *,
    clock: Clock,
    account: BrokerAccount | None = None,
    leave_positions: bool | None = None,
    path: KillPath = KillPath.COMMAND,
    press: str = "",
    publisher: LivePublisher | None = None,
) -> CommandRow:
    """Stop one client, one account of a client, or with None the whole house: no entry passes the gate after this
    commits.

    `by` None is the machine's own command line. `leave_positions` None means the client's own choice (for the house:
    each client's). `press` names this press: the same again gives the same command, as does another while the engine
    still works on it. Raises PermissionDenied for somebody else's client or account.
    """
    _check_may_act(by, client, account)
    client_id = client.pk if client else None
    key = account.key if account else ""
    once = press_key(by.pk if by else None, client_id, key, press)
    wanted = KillPress(client_id, key, leave_positions, path, actor(by), once)
    with transaction.atomic():
        take([CONTROL, chain_lock(client_id)])
        command, row = kills.press(wanted, at=market_now(clock), wall=clock.wall(), requested_by=by)
        _publish_state(publisher, client_id, row)
    return command


def raise_state(
    client: Client | None,
    by: User,
    reason: str,
    *,
    clock: Clock,
    account: BrokerAccount | None = None,
    seen: str | None = None,
    publisher: LivePublisher | None = None,
) -> ControlRow:
    """Let a client, one account of a client, or with None the house, trade again. Only a person does this.

    `seen` is the `stamp` of what the person decided on; what is ACTIVE already stays as it is. A kill file of just
    this house, client or account is put away. Raises RiskDenied: KILL_DIRECTORY and KILL_FILE_STAYS about that file,
    KILL_RUNNING while a kill is being carried out, STATE_CHANGED when somebody pressed since, LATCHED when a limit
    was reached today, which nobody lifts before the next session. Raises PermissionDenied for somebody else's client
    or account.
    """
    _check_may_act(by, client, account)
    client_id, key, today = (client.pk if client else None), (account.key if account else ""), _today(clock)
    files = kill_files.files_of(client_id, key)
    with transaction.atomic():
        take([CONTROL, chain_lock(client_id)])
        row = control_row(client_id, key)
        if row.state_on(today) is TradingState.ACTIVE and not files:
            return row
        if any(one.arguments.get("account_key", "") == key for one in commands.unfinished(CommandKind.KILL, client_id)):
            raise RiskDenied("KILL_RUNNING", "the kill switch is still being carried out; wait until it says flat")
        if seen is not None and seen != stamp(client, account):
            raise RiskDenied("STATE_CHANGED", "it was stopped again since this page was opened; look at it anew")
        latched = row.latched_reason_on(today)
        if row.latched_day == today:
            raise RiskDenied("LATCHED", f"trading stays off until the next session: {latched}")
        told = {"was": row.state_on(today), "state": TradingState.ACTIVE, "reason": reason}
        if files:
            told["kill_files"] = ", ".join(files)
        row.state, row.state_reason, row.state_changed_at = TradingState.ACTIVE, reason[:200], clock.wall()
        row.latched_day, row.latched_state, row.latched_reason = None, TradingState.ACTIVE, ""
        row.save()
        _record(client_id, "STATE_RAISED", told, by=by, clock=clock, account_key=key)
        notices.state_raised(client_id, key, reason, actor(by), at=market_now(clock), wall=clock.wall())
        _publish_state(publisher, client_id, row)
    kill_files.put_away(files, clock=clock)  # after the commit: cut short in between, it stays stopped
    return row


def stamp(client: Client | None, account: BrokerAccount | None = None) -> str:
    """Name the stop that a person looks at: another kill or latch since gives another stamp."""
    key = account.key if account else ""
    row = seen_row(client.pk if client else None, key)
    last = kills.last_of(client.pk if client else None, key)
    return f"{last.pk if last else 0} {row.latched_day or ''} {row.latched_reason}".strip()


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


def adopt_position(
    client: Client, account: BrokerAccount, instrument: str, product: str, shown: int, *, by: User, clock: Clock
) -> CommandRow:
    """Ask the engine to believe that a position is `shown` signed units, as the broker shows it.

    The same wish again, while the engine works on it, is one command. Raises PermissionDenied for somebody else's.
    """
    _check_may_act(by, client)
    wish = {"account_key": account.key, "instrument": instrument, "product": product, "shown": shown, "by": actor(by)}
    with transaction.atomic():
        take([CONTROL, chain_lock(client.pk)])
        return _ask(CommandKind.ADOPT, client.pk, wish, by=by, clock=clock)


def request_reload(client: Client | None, *, by: User | None, clock: Clock) -> CommandRow:
    """Ask the engine to read limits, accounts and watchlist again."""
    client_id = client.pk if client else None
    with transaction.atomic():
        take([CONTROL, chain_lock(client_id)])
        return _ask(CommandKind.RELOAD, client_id, {}, by=by, clock=clock)


def _check_may_act(by: User | None, client: Client | None, account: BrokerAccount | None = None) -> None:
    if by is not None and not by.is_operator and (client is None or client.user_id != by.pk):
        raise PermissionDenied("this is somebody else's account")
    if account is not None and (client is None or account.owner_id != client.user_id):
        raise PermissionDenied("this account is not the client's")


def _today(clock: Clock) -> date:
    return ist_day(market_now(clock))


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
        for same in commands.unfinished(kind, client_id):
            if same.arguments == arguments and (same.day == day or kind.outlives_its_day):
                return same
    command, is_new = commands.ask(
        kind, client_id, day=day, at=at, arguments=arguments, requested_by=by, once_key=once_key
    )
    if is_new:
        told = {"command": command.pk, "kind": kind, **arguments}
        _record(client_id, "COMMAND_GIVEN", told, by=by, clock=clock)
    return command


def _record(
    client_id: int | None,
    kind: str,
    data: Mapping[str, Any],
    *,
    by: User | None,
    clock: Clock,
    account_key: str = "",
) -> None:
    told = {**data, "by": actor(by)}
    event = EngineEvent(client_id, kind, market_now(clock), told, account_key=account_key)
    append_events([event], wall=clock.wall())


def _publish_state(publisher: LivePublisher | None, client_id: int | None, row: ControlRow) -> None:
    """Tell pages the state of a client or of the house; of an account's the line in the log tells."""
    if publisher is not None and not isinstance(row, AccountControl):
        data = {"state": row.state, "reason": row.state_reason}
        transaction.on_commit(lambda: publisher.publish(client_id, "state", data), robust=True)
