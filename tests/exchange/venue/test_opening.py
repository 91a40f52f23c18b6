"""More accounts than the demo ones: for a desk of many clients, and for load."""

from pathlib import Path

from tests.exchange.fakes import INFY, Desk, order
from trading.exchange.venue.users import DEMO_USER_IDS


def test_free_accounts_come_beside_the_demo_ones_and_can_trade() -> None:
    desk = Desk(more_accounts=3)

    desk.trade(order(quantity=10), user_id="ZZ0003")

    assert list(desk.venue.users) == [*DEMO_USER_IDS, "ZZ0001", "ZZ0002", "ZZ0003"]
    assert desk.venue.books.accounts["ZZ0003"].net_quantity(INFY.token, "MIS") == 10
    assert len({user.api_key for user in desk.venue.users.values()}) == len(desk.venue.users)


def test_an_account_that_once_was_is_there_at_the_next_start_without_being_asked_for(tmp_path: Path) -> None:
    desk = Desk(tmp_path, more_accounts=2)
    desk.trade(order(quantity=10), user_id="ZZ0002")
    before = desk.venue.ledger_hash()
    desk.venue.close()

    again = Desk(tmp_path)

    assert "ZZ0002" in again.venue.users
    assert again.venue.ledger_hash() == before


def test_accounts_opened_in_mid_day_leave_the_books_of_the_others_alone(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.trade(order(quantity=10))
    alone = desk.venue.ledger_truth()
    desk.venue.close()
    more = Desk(tmp_path, more_accounts=1)
    more.trade(order(quantity=5), user_id="ZZ0001")
    more.venue.close()

    again = Desk(tmp_path)

    assert {user: again.venue.ledger_truth()[user] for user in alone} == alone
    assert again.venue.books.accounts["ZZ0001"].net_quantity(INFY.token, "MIS") == 5
