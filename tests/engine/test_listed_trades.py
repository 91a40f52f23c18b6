"""The sums over an account's fills are kept, and are those of all that came in."""

from datetime import timedelta
from decimal import Decimal

from tests.engine.stage import DAY, GILLETTE
from trading.domain.adoption import Adoption
from trading.domain.drift import Units
from trading.domain.orders import BrokerTrade, Side
from trading.domain.ownership import Share
from trading.domain.positions import PositionKey
from trading.domain.timezone import at_ist, time_of
from trading.engine.listed_trades import ListedTrades

KEY = PositionKey(GILLETTE.key, "MIS")
START = at_ist(DAY, time_of(33_300))


def trade(number: int, side: Side, quantity: int) -> BrokerTrade:
    at = START + timedelta(seconds=number)
    return BrokerTrade(f"T{number}", f"O{number}", GILLETTE.key, side, "MIS", quantity, Decimal(100), at)


def adopted(second: int, net: int) -> Adoption:
    at = START + timedelta(seconds=second)
    return Adoption(f"A{second}", GILLETTE.key, "MIS", net, None, None, Decimal(100), at, "by hand", "test")


def sums(listed: ListedTrades, *own: str) -> tuple[Units, int, Share]:
    return listed.counted(KEY), listed.net(KEY), listed.share(KEY, set(own))


def test_a_fill_changes_the_sums_that_were_asked_for_before_it() -> None:
    listed = ListedTrades()
    assert sums(listed, "O1") == (Units(0, 0), 0, Share(0, 0))

    listed.add([trade(1, Side.BUY, 100)])
    assert sums(listed, "O1") == (Units(100, 0), 100, Share(100, 0))

    listed.add([trade(1, Side.BUY, 100), trade(2, Side.SELL, 30)])
    assert sums(listed, "O1") == (Units(100, 30), 70, Share(70, 0))


def test_an_adoption_changes_the_sums_that_were_asked_for_before_it() -> None:
    listed = ListedTrades()
    listed.add([trade(1, Side.BUY, 100)])
    assert sums(listed, "O1") == (Units(100, 0), 100, Share(100, 0))

    assert listed.adopt(adopted(5, 40))
    assert sums(listed, "O1") == (Units(0, 0), 40, Share(40, 0))
    assert not listed.adopt(adopted(4, 10))
    assert sums(listed, "O1") == (Units(0, 0), 40, Share(40, 0))


def test_an_order_that_is_known_to_be_ours_later_makes_its_units_ours() -> None:
    listed = ListedTrades()
    listed.add([trade(1, Side.BUY, 100), trade(2, Side.BUY, 10)])

    assert listed.share(KEY, {"O1"}) == Share(100, 10)
    assert listed.share(KEY, {"O1", "O2"}) == Share(110, 0)
    assert listed.share(KEY, set()) == Share(0, 110)
