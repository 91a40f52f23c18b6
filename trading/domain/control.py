"""Who may trade at this moment: the states of house, client and account, and what each lets pass."""

from enum import StrEnum
from hashlib import sha256

from trading.domain.orders import Purpose


class TradingState(StrEnum):
    """ACTIVE trades; REDUCING lets only exits pass; HALTED says that, and that the broker confirmed it flat.

    Exits pass in every state: what fills after all, late, is closed. Only a person raises a state.
    """

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HALTED = "HALTED"

    @property
    def strictness(self) -> int:
        """0 for ACTIVE, rising with what is forbidden."""
        return _STRICTNESS[self]


_STRICTNESS = {state: number for number, state in enumerate(TradingState)}


class CommandKind(StrEnum):
    """What the web, Beat and the command line ask of the engine, by a row in the database."""

    SQUARE_OFF = "SQUARE_OFF"
    KILL = "KILL"
    EXIT_POSITION = "EXIT_POSITION"
    RELOAD = "RELOAD"
    ADOPT = "ADOPT"

    @property
    def outlives_its_day(self) -> bool:
        """True for a kill: an unfinished one is still meant on the next day; the others are not."""
        return self is CommandKind.KILL


class KillPath(StrEnum):
    """The ways to press the kill switch, in the words of the screens."""

    PAGE = "page"
    API = "API"
    COMMAND = "command"
    FILE = "kill file"


def press_key(pressed_by: int | None, client_id: int | None, account_key: str, press: str) -> str:
    """Give the key under which one press of a kill switch counts once; empty for a press without a name.

    `pressed_by` is a person's id, None for the machine's own command line. 45 letters, digits and one colon.
    """
    if not press:
        return ""
    text = "|".join((str(pressed_by or ""), str(client_id or ""), account_key, press))
    return f"kill:{sha256(text.encode()).hexdigest()[:40]}"


def strictest(*states: TradingState) -> TradingState:
    """Give the state that forbids the most; ACTIVE when there is none."""
    return max(states, key=lambda state: state.strictness, default=TradingState.ACTIVE)


def state_denial(
    purpose: Purpose, *, house: TradingState, client: TradingState, account: TradingState
) -> tuple[str, str] | None:
    """Say why the control rows stop an order, as (code, sentence); None when it may pass.

    Entries need ACTIVE of all three, exits always pass.
    """
    state = strictest(house, client, account)
    if state is TradingState.ACTIVE or purpose.is_exit:
        return None
    who = next(name for name, own in (("house", house), ("client", client), ("account", account)) if own is state)
    return "KILL_SWITCH", f"the {who} was {state}"
