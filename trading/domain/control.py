"""Who may trade at this moment: the states of house and client, and what each lets pass."""

from enum import StrEnum

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
        return list(TradingState).index(self)


class CommandKind(StrEnum):
    """What the web, Beat and the command line ask of the engine, by a row in the database."""

    SQUARE_OFF = "SQUARE_OFF"
    KILL = "KILL"
    EXIT_POSITION = "EXIT_POSITION"
    RELOAD = "RELOAD"

    @property
    def outlives_its_day(self) -> bool:
        """True for a kill: an unfinished one is still meant on the next day; the others are not."""
        return self is CommandKind.KILL


def strictest(*states: TradingState) -> TradingState:
    """Give the state that forbids the most; ACTIVE when there is none."""
    return max(states, key=lambda state: state.strictness, default=TradingState.ACTIVE)


def state_denial(purpose: Purpose, *, house: TradingState, client: TradingState) -> tuple[str, str] | None:
    """Say why the control rows stop an order, as (code, sentence); None when it may pass.

    Entries need ACTIVE of both, exits always pass.
    """
    state = strictest(house, client)
    if state is TradingState.ACTIVE or purpose.is_exit:
        return None
    who = "house" if house.strictness >= client.strictness else "client"
    return "KILL_SWITCH", f"the {who} was {state}"
