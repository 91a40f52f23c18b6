"""The kill files as pages and commands see them. The engine's gate looks at the directory by itself."""

import logging

from trading.domain.errors import RiskDenied
from trading.domain.kill_file import Stopped, stopped_by
from trading.models import BrokerAccount, Client
from trading.ports import Clock
from trading.services import wiring

logger = logging.getLogger(__name__)


def why_stopped(client_id: int | None, account_key: str = "") -> str:
    """Say which kill file stops the house (None), a client, or an account of a client; empty for none.

    A name that fits nobody, or a directory that cannot be read, stops everybody: so the engine has it, too.
    """
    try:
        standing = _standing()
    except OSError as error:
        return f"the kill directory cannot be read: {error}"
    for name, stopped in standing.items():
        if stopped is None:
            return f"the kill file {name} fits nobody, so it stops everybody"
        if stopped in (Stopped(), Stopped(client_id), Stopped(client_id, account_key)):
            return f"the kill file {name} is there"
    return ""


def files_of(client_id: int | None, account_key: str = "") -> list[str]:
    """Name the kill files of just this house, client or account. Raises RiskDenied when nobody can know."""
    try:
        standing = _standing()
    except OSError as error:
        raise RiskDenied("KILL_DIRECTORY", f"the kill directory cannot be read: {error}") from error
    return [name for name, stopped in standing.items() if stopped == Stopped(client_id, account_key)]


def put_away(names: list[str], *, clock: Clock) -> None:
    """Move kill files out of the way after the state was raised. Raises RiskDenied where one stays."""
    files = wiring.kill_files()
    for name in names:
        try:
            path = files.put_away(name, clock.wall())
        except FileNotFoundError:
            continue  # somebody took it away meanwhile
        except OSError as error:
            text = f"the state was raised, but the kill file {name} stays and goes on stopping: {error}. Take it away"
            raise RiskDenied("KILL_FILE_STAYS", text) from error
        logger.info("the kill file %s was put away as %s", name, path)


def _standing() -> dict[str, Stopped | None]:
    try:
        names = wiring.kill_files().names()
    except FileNotFoundError:
        return {}  # the engine makes the directory; until then nobody can have pressed
    if not names:
        return {}
    clients = dict(Client.objects.values_list("pk", "user__email"))
    known = BrokerAccount.objects.filter(owner__client__isnull=False).exclude(key="")
    accounts = dict(known.values_list("key", "owner__client"))
    return {name: stopped_by(name, clients=clients, accounts=accounts) for name in names}
