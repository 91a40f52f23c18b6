"""The market's clock: where it stands, how fast it may go, and what phase the day is in.

Market time moves only in steps that `stepper` makes. Speed is a ceiling; a held market stands.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from trading.domain.calendar import MarketCalendar
from trading.domain.instruments import InstrumentClass
from trading.domain.sessions import Phase
from trading.domain.timezone import IST

FREE_PACE_CEILING = 60
MAX_SPEED = 600


def to_ms(moment: datetime) -> int:
    """Give epoch milliseconds of an aware moment."""
    return round(moment.timestamp() * 1000)


@dataclass(slots=True)
class MarketClock:
    """Where the market stands. `held_at_ms` is a moment at which it stops (None: it does not)."""

    day: date
    calendar: MarketCalendar
    now_ms: int
    speed: int
    pace: str
    step: int = 0
    is_held: bool = False
    run_until_ms: int | None = None
    steps_left: int | None = None

    @property
    def now(self) -> datetime:
        """Give market time, aware IST."""
        return datetime.fromtimestamp(self.now_ms / 1000, UTC).astimezone(IST)

    @property
    def end_ms(self) -> int:
        """Give the moment at which the day's last session is over and the clock stands."""
        return to_ms(self.calendar.day_ends_at(self.day))

    @property
    def is_finished(self) -> bool:
        """Say whether the day is over."""
        return self.now_ms >= self.end_ms

    @property
    def ceiling(self) -> int:
        """Give market seconds a wire second at the most; the free pace never goes above 60."""
        return min(self.speed, FREE_PACE_CEILING) if self.pace == "free" else self.speed

    @property
    def phase(self) -> str:
        """Give one word for the whole market: its stocks with a closing auction say the most."""
        if self.is_finished:
            return "closed"
        equity = self.calendar.phase_at(self.now, InstrumentClass.EQUITY)
        auction = self.calendar.phase_at(self.now, InstrumentClass.EQUITY_CAS)
        if Phase.CONTINUOUS in (equity, auction):
            return "open"
        if equity is Phase.PRE_OPEN:
            return "pre_open"
        opens_at = self.calendar.session(self.day, InstrumentClass.EQUITY).open
        if self.now < opens_at:
            return "pre_market"
        return "post_close" if auction is Phase.CLOSED or auction is Phase.POST_CLOSE else "closing_auction"

    def set_speed(self, speed: int) -> None:
        """Set the ceiling. Raises ValueError outside 1..600."""
        if not 1 <= speed <= MAX_SPEED:
            raise ValueError(f"speed must be 1 to {MAX_SPEED}, was {speed}")
        self.speed = speed

    def set_pace(self, pace: str) -> None:
        """Set hold or free. Raises ValueError for another word."""
        if pace not in ("hold", "free"):
            raise ValueError(f"pace must be hold or free, was {pace!r}")
        self.pace = pace

    def hold(self) -> None:
        """Let the market stand where it is."""
        self.is_held, self.run_until_ms, self.steps_left = True, None, None

    def resume(self) -> None:
        """Let the market go on without a stop."""
        self.is_held, self.run_until_ms, self.steps_left = False, None, None

    def run_until(self, moment_ms: int) -> None:
        """Go on, and stand at `moment_ms`. Raises ValueError when that is past."""
        if moment_ms < self.now_ms:
            raise ValueError(f"run_until must not be before the market's now {self.now:%H:%M:%S}")
        self.is_held, self.run_until_ms, self.steps_left = moment_ms == self.now_ms, moment_ms, None

    def run_steps(self, count: int) -> None:
        """Go on for `count` steps, then stand. Raises ValueError below one."""
        if count < 1:
            raise ValueError(f"step must be 1 or more, was {count}")
        self.is_held, self.run_until_ms, self.steps_left = False, None, count

    def move_to(self, moment_ms: int) -> None:
        """Make one step; holds the market where the control port asked for it."""
        self.now_ms = moment_ms
        self.step += 1
        if self.steps_left is not None:
            self.steps_left -= 1
        if self.steps_left == 0 or (self.run_until_ms is not None and moment_ms >= self.run_until_ms):
            self.hold()
