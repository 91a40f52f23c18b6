"""Pictures and adoptions, in every store there is."""

from dataclasses import replace
from decimal import Decimal

from tests.factories import DAY, PREVIOUS_DAY, TEN_O_CLOCK
from tests.stores.worlds import ALICE, CHARLIE, World
from trading.domain.adoption import Adoption

ADOPTION = Adoption(
    key="command:7",
    instrument="NSE:INFY",
    product="MIS",
    net_quantity=-40,
    bought=60,
    sold=100,
    price=Decimal("1490.5500"),
    at=TEN_O_CLOCK,
    cause="by hand",
    by="alice@example.com",
)


async def test_an_adoption_is_kept_once_and_comes_back_with_its_day(world: World) -> None:
    assert await world.store.save_adoption(ALICE, DAY, ADOPTION)
    assert not await world.store.save_adoption(ALICE, DAY, replace(ADOPTION, net_quantity=5))
    unknown = replace(ADOPTION, key="command:8", bought=None, sold=None)
    assert await world.store.save_adoption(ALICE, DAY, unknown)
    assert await world.store.save_adoption(CHARLIE, DAY, ADOPTION)

    book, before = await world.store.load_book(DAY), await world.store.load_book(PREVIOUS_DAY)

    assert book.adoptions == ((ALICE, ADOPTION), (ALICE, unknown), (CHARLIE, ADOPTION))
    assert before.adoptions == ()


async def test_the_newest_picture_of_an_account_and_day_is_kept(world: World) -> None:
    await world.store.save_reconciliation(ALICE, DAY, {"rows": []})
    await world.store.save_reconciliation(ALICE, DAY, {"rows": [{"instrument": "NSE:INFY", "ours": -40}]})
    await world.store.save_reconciliation(CHARLIE, DAY, {"rows": []})

    assert await world.pictures() == {
        (ALICE, DAY): {"rows": [{"instrument": "NSE:INFY", "ours": -40}]},
        (CHARLIE, DAY): {"rows": []},
    }
