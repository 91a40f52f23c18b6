"""Our count of one account's positions beside the broker's rows, with what explains a difference."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from trading.domain.broker_square_off import find_row
from trading.domain.drift import Circumstances, Drift, find_conversion, find_drift, today_net
from trading.domain.orders import IntentState, Product
from trading.domain.positions import PositionKey
from trading.engine.desk import AccountDesk
from trading.engine.instruments import Instruments
from trading.engine.tools import Tools

LASTS_AFTER_S = 30.0
"""Wire seconds after which a difference is no lag of one read behind another any more."""
CONVERTED_AFTER_S = 1.5
SQUARE_OFF_TAKES = timedelta(minutes=10)


class Comparison:
    """Compares one account. A conversion that several looks show alike is followed by `convert`."""

    def __init__(
        self,
        tools: Tools,
        desk: AccountDesk,
        instruments: Instruments,
        convert: Callable[[Drift, Drift], Awaitable[None]],
    ) -> None:
        self._tools = tools
        self._desk = desk
        self._instruments = instruments
        self._convert = convert
        self._since: dict[tuple[PositionKey, int, int | None], float] = {}
        self._moved: tuple[Drift, Drift] | None = None
        self._moved_since = 0.0

    async def drifts(self) -> list[Drift]:
        """Give the differences of intraday positions; what only the client trades is never one of ours."""
        found, now = self._compare(), self._tools.clock.monotonic()
        moved = self._conversion(found)
        if moved is None or moved != self._moved:
            self._moved, self._moved_since = moved, now
        elif now - self._moved_since >= CONVERTED_AFTER_S:
            await self._convert(*moved)
            found = self._compare()
        return [drift for drift in found if drift.product == Product.MIS]

    def _compare(self) -> list[Drift]:
        orders = self._desk.orders
        keys = orders.expected_rows() | set(orders.rows)
        keys |= {PositionKey(instrument, Product.MIS) for instrument in orders.instruments()}
        found = [self._drift(key) for key in sorted(keys)]
        drifts = [drift for drift in found if drift is not None]
        now = self._tools.clock.monotonic()
        present = {self._name(drift) for drift in drifts}
        self._since = {name: self._since.get(name, now) for name in present}
        return drifts

    def _drift(self, key: PositionKey) -> Drift | None:
        orders = self._desk.orders
        row, ours = orders.rows.get(key), orders.today_net(key)
        known = self._circumstances(key, ours, None if row is None else today_net(row))
        return find_drift(key, orders.counted(key), ours, row, known)

    def _circumstances(self, key: PositionKey, ours: int, theirs: int | None) -> Circumstances:
        since = self._since.get((key, ours, theirs))
        if key.product != Product.MIS:
            return Circumstances(has_lasted=self._has_lasted(since))
        working = self._desk.orders.of(key.instrument)
        return Circumstances(
            has_doubt=any(one.state is IntentState.IN_DOUBT for one in working),
            has_working=any(one.may_fill for one in working),
            has_late=any(one.is_late and one.may_fill for one in working),
            broker_squares_off=self.broker_squares_off(key.instrument),
            has_lasted=self._has_lasted(since),
        )

    def broker_squares_off(self, instrument: str) -> bool:
        """Say whether the broker closes intraday positions of this instrument by itself around now."""
        kind, day = self._instruments.class_of(instrument), self._tools.day
        row, hours = find_row(self._desk.ref.broker, kind, day), self._tools.deps.calendar.find_session(day, kind)
        if row is None or hours is None:
            return False
        begins = row.moment(hours)
        return begins <= self._tools.now() <= begins + SQUARE_OFF_TAKES

    def _conversion(self, drifts: list[Drift]) -> tuple[Drift, Drift] | None:
        for instrument in {drift.instrument for drift in drifts}:
            moved = {d.product: (d.theirs or 0) - d.ours for d in drifts if d.instrument == instrument}
            pair = find_conversion(instrument, drifts, moved)
            if pair is not None and not self._desk.line(instrument).live_exits:
                return pair
        return None

    def _has_lasted(self, since: float | None) -> bool:
        return since is not None and self._tools.clock.monotonic() - since >= LASTS_AFTER_S

    @staticmethod
    def _name(drift: Drift) -> tuple[PositionKey, int, int | None]:
        return PositionKey(drift.instrument, drift.product), drift.ours, drift.theirs
