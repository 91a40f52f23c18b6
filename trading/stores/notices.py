"""Notices of the kill switch: whom a press, its result or a raise concerns gets a mail, by the alarms' outbox.

Written after the commit of what they tell, so that no press waits for them; the log has the same lines in any case.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from trading.domain.control import KillPath
from trading.domain.kill_words import result_words
from trading.models import Client, CommandRow
from trading.ports import KillPress
from trading.stores import alarms

WAYS = {KillPath.PAGE: ", on the page", KillPath.API: ", by the API"}
"""A press by the command line or a file says so where it names who pressed."""
THEN = {True: "positions are left open", False: "positions are squared off", None: "positions as each client chose"}


def kill_pressed(wanted: KillPress, arguments: Mapping[str, Any], *, at: datetime, wall: datetime) -> None:
    """Tell who stopped whom, by which way, and what becomes of the positions."""

    def text() -> str:
        way, then = WAYS.get(wanted.path, ""), THEN[arguments["leave_positions"]]
        whom = _whom(wanted.client_id, wanted.account_key)
        return f"{whom} was stopped by {wanted.by}{way}: no new entries, {then}"

    _tell(wanted.client_id, "KILL_PRESSED", text, at=at, wall=wall)


def kill_carried_out(command: CommandRow, result: Mapping[str, Any], *, at: datetime, wall: datetime) -> None:
    """Tell what came of a press: whether the broker confirmed that nothing is open."""
    if "flat_ms" not in result:
        return  # it ended otherwise, which has an alarm of its own

    def text() -> str:
        words = result_words(result, names_positions=command.client_id is not None)
        return f"the stop of {_whom(command.client_id, str(command.arguments.get('account_key', '')))}: {words}"

    _tell(command.client_id, "KILL_CARRIED_OUT", text, at=at, wall=wall)


def state_raised(
    client_id: int | None, account_key: str, reason: str, by: str, *, at: datetime, wall: datetime
) -> None:
    """Tell who let whom trade again, and why."""

    def text() -> str:
        return f"{_whom(client_id, account_key)} trades again: {by} said so, because: {reason}"

    _tell(client_id, "TRADING_RAISED", text, at=at, wall=wall)


def _whom(client_id: int | None, account_key: str) -> str:
    if client_id is None:
        return "the house"
    return account_key or Client.objects.select_related("user").get(pk=client_id).label


def _tell(client_id: int | None, code: str, text: Callable[[], str], *, at: datetime, wall: datetime) -> None:
    """Write a notice after the commit; one that cannot be written harms nothing of what it would tell."""

    def write() -> None:
        alarms.record(client_id, code, text(), at=at, wall=wall)

    transaction.on_commit(write, robust=True)
