"""Who takes part in the market's steps, and whom the market still waits for. Pure: wire time is an argument."""

from collections.abc import Iterable
from dataclasses import dataclass

SILENT_AFTER_S = 5.0
ENGINE = "engine"
ROLES = ("ticker", ENGINE, "beat")


@dataclass(slots=True)
class Participant:
    """One process at the control port. `answered` is the last (step, round) it called done."""

    name: str
    role: str
    heard_at: float
    answered: tuple[int, int] = (-1, -1)
    answered_until_ms: int = 0
    due_ms: int | None = None
    is_out: bool = False

    def has_answered(self, step: int, round_: int, now_ms: int) -> bool:
        """Say whether this one is done with the present round.

        Only engines are asked again in the later rounds of a step: ticks do not change in them.
        """
        if self.answered_until_ms > now_ms:
            return True
        return self.answered >= ((step, round_) if self.role == ENGINE else (step, 1))

    @property
    def state(self) -> str:
        """Give the word for the status page: in, or out (left the round by silence)."""
        return "out" if self.is_out else "in"


class Participants:
    """The registry. A name that joins again replaces its old self and keeps nothing of it."""

    def __init__(self) -> None:
        self._by_name: dict[str, Participant] = {}
        self._roles_seen: set[str] = set()

    def join(self, name: str, role: str, *, at: float) -> Participant:
        """Take a process in; it is waited for from the next step on."""
        participant = Participant(name=name, role=role, heard_at=at)
        self._by_name[name] = participant
        self._roles_seen.add(role)
        return participant

    def all(self) -> Iterable[Participant]:
        """Give every participant ever seen, those that left too."""
        return tuple(self._by_name.values())

    def roles(self) -> list[str]:
        """Give the roles that are in the round, sorted."""
        return sorted({one.role for one in self._by_name.values() if not one.is_out})

    def has_seen(self, roles: Iterable[str]) -> bool:
        """Say whether each of these roles joined at least once."""
        return self._roles_seen.issuperset(roles)

    def done(
        self, participant: Participant, step: int, round_: int, *, due_ms: int | None, until_ms: int | None
    ) -> None:
        """Take an answer. A `due_ms` replaces the one named before."""
        participant.answered = max(participant.answered, (step, round_))
        participant.due_ms = due_ms
        participant.answered_until_ms = until_ms or 0

    def busy(self, participant: Participant, step: int, round_: int) -> None:
        """Take back an answer given before: the process works again on this round."""
        participant.answered_until_ms = 0
        if participant.answered >= (step, round_):
            participant.answered = (step, round_ - 1)

    def heard(self, participant: Participant, *, at: float) -> None:
        """Note that the process is alive; one that had left is in the round again."""
        participant.heard_at = at
        participant.is_out = False

    def waiting_for(self, step: int, round_: int, now_ms: int) -> list[Participant]:
        """Give those in the round that have not answered it."""
        return [one for one in self._by_name.values() if not one.is_out and not one.has_answered(step, round_, now_ms)]

    def drop_silent(self, waiting: Iterable[Participant], *, asked_at: float, at: float) -> list[Participant]:
        """Put out whoever said nothing for SILENT_AFTER_S since it was asked, its connection closed or not."""
        dropped = []
        for one in waiting:
            if at - max(one.heard_at, asked_at) >= SILENT_AFTER_S:
                one.is_out = True
                dropped.append(one)
        return dropped

    def next_due_ms(self, now_ms: int) -> int | None:
        """Give the earliest market moment after `now_ms` that anybody in the round named."""
        dues = [one.due_ms for one in self._by_name.values() if not one.is_out and one.due_ms is not None]
        return min((due for due in dues if due > now_ms), default=None)
