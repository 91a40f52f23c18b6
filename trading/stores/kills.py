"""A press of the kill switch. Whoever calls holds `locks.CONTROL` and the chain's head in a transaction."""

from datetime import datetime
from typing import Any

from trading.domain.control import CommandKind, TradingState
from trading.domain.timezone import ist_day
from trading.models import Client, CommandRow, User
from trading.ports import EngineEvent, KillPress
from trading.stores import commands, notices
from trading.stores.chain import append_events
from trading.stores.controls import ControlRow, control_row, lower_state


def press(
    wanted: KillPress, *, at: datetime, wall: datetime, requested_by: User | None = None
) -> tuple[CommandRow, ControlRow]:
    """Lower the state to REDUCING, write the command and its line in the log; gives command and control row.

    The same press again (by `once_key`, or while the engine still works on the same) changes nothing and gives the
    first command. After a person raised the state it counts as a new one: a press that does nothing is worse than
    one too many. Raises Client.DoesNotExist, and BrokerAccount.DoesNotExist for an account of somebody else.
    """
    row = control_row(wanted.client_id, wanted.account_key)
    before = row.state
    known = _same_press(wanted.once_key)
    if known is not None and before != TradingState.ACTIVE:
        return known, row
    row = lower_state(
        wanted.client_id,
        TradingState.REDUCING,
        f"kill switch by {wanted.by}",
        account_key=wanted.account_key,
        latch_day=None,
        wall=wall,
    )
    arguments = _arguments(wanted)
    same = [one for one in commands.unfinished(CommandKind.KILL, wanted.client_id) if one.arguments == arguments]
    if same and before != TradingState.ACTIVE:
        return same[0], row
    command = same[0] if same else _write(wanted, arguments, at, requested_by, is_repeated=known is not None)
    told = {"was": before, "state": row.state, **arguments, "command": command.pk, "path": wanted.path}
    event = EngineEvent(wanted.client_id, "KILL_PRESSED", at, {**told, "by": wanted.by}, account_key=wanted.account_key)
    append_events([event], wall=wall)
    notices.kill_pressed(wanted, arguments, at=at, wall=wall)
    return command, row


def last_of(client_id: int | None, account_key: str = "") -> CommandRow | None:
    """Give the newest kill of the house (None), a client, or one account of a client."""
    rows = CommandRow.objects.filter(kind=CommandKind.KILL).order_by("-id")
    rows = rows.filter(client=None) if client_id is None else rows.filter(client_id=client_id)
    return next((row for row in rows.iterator() if row.arguments.get("account_key", "") == account_key), None)


def _same_press(once_key: str) -> CommandRow | None:
    return CommandRow.objects.filter(once_key=once_key).first() if once_key else None


def _arguments(wanted: KillPress) -> dict[str, Any]:
    leaves = wanted.leave_positions
    if wanted.client_id is not None and leaves is None:
        leaves = not Client.objects.get(pk=wanted.client_id).squares_off_on_kill
    return {"leave_positions": leaves} | ({"account_key": wanted.account_key} if wanted.account_key else {})


def _write(
    wanted: KillPress, arguments: dict[str, Any], at: datetime, requested_by: User | None, *, is_repeated: bool
) -> CommandRow:
    command, _ = commands.ask(
        CommandKind.KILL,
        wanted.client_id,
        day=ist_day(at),
        at=at,
        arguments=arguments,
        requested_by=requested_by,
        once_key="" if is_repeated else wanted.once_key,
        path=wanted.path,
    )
    return command
