"""The kill file: whom a name in the kill directory stops, and what may stand in the file.

`house`; `client:` and the client's id or e-mail address; `account:` and the account's key (`account:kite:AB1001`).
A slash in an address is written %2F.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

HOUSE = "house"
CLIENT, ACCOUNT = "client:", "account:"


@dataclass(frozen=True, slots=True)
class Stopped:
    """Whom a kill switch stops: the house (both empty), a client, or one account of a client."""

    client_id: int | None = None
    account_key: str = ""


@dataclass(frozen=True, slots=True)
class KillNote:
    """What stands in a kill file. `press` names the press where a command wrote it; `is_clear` is false for garbage."""

    leave_positions: bool | None = None
    by: str = ""
    press: str = ""
    is_clear: bool = True


def house_file() -> str:
    """Name the file that stops everybody."""
    return HOUSE


def client_file(client: str) -> str:
    """Name the file that stops a client, by id or address."""
    return f"{CLIENT}{client.lower().replace('%', '%25').replace('/', '%2F')}"


def account_file(key: str) -> str:
    """Name the file that stops one account."""
    return f"{ACCOUNT}{key}"


def stopped_by(name: str, *, clients: Mapping[int, str], accounts: Mapping[str, int]) -> Stopped | None:
    """Say whom a file stops; None for a name that fits nobody.

    `clients` gives addresses by id, `accounts` the client's id by account key.
    """
    if name == HOUSE:
        return Stopped()
    if name.startswith(CLIENT):
        who = unquote(name.removeprefix(CLIENT)).lower()
        found = next((number for number, label in clients.items() if who in (str(number), label.lower())), None)
        return None if found is None else Stopped(found)
    key = name.removeprefix(ACCOUNT)
    if name.startswith(ACCOUNT) and key in accounts:
        return Stopped(accounts[key], key)
    return None


def note_of(text: str) -> KillNote:
    """Read what stands in a kill file. Garbage is no reason not to stop: the client's own choice counts then."""
    if not text.strip():
        return KillNote()
    try:
        told = json.loads(text)
        leaves, by, press = told.get("leave_positions"), str(told.get("by", "")), str(told.get("press", ""))
    except (ValueError, AttributeError):
        return KillNote(is_clear=False)
    if leaves not in (None, True, False):
        return KillNote(None, by, press, is_clear=False)
    return KillNote(leaves, by[:80], press[:80])


def note_text(*, leave_positions: bool | None, by: str, press: str) -> str:
    """Write what `note_of` reads."""
    return json.dumps({"leave_positions": leave_positions, "by": by, "press": press}) + "\n"
