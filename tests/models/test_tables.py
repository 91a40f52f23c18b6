"""What the database itself refuses, and that the migrations say all of it."""

from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import IntegrityError

from tests.factories import (
    TEN_O_CLOCK,
    exit_intent,
    make_account,
    make_client,
    make_instrument,
    make_user,
    make_watch_item,
)
from trading.models import AccountStrategy, FeedAccount, House, OrderIntentRow, Strategy, User, Venue, WatchItem
from trading.stores.accounts import AccountIds
from trading.stores.intents import create

pytestmark = pytest.mark.django_db


def test_the_migrations_say_all_that_the_models_say() -> None:
    said = StringIO()

    call_command("makemigrations", "--check", "--dry-run", stdout=said, skip_checks=True)

    assert said.getvalue() == "No changes detected\n"


def test_two_addresses_that_differ_in_case_are_one_person() -> None:
    make_user("alice")

    assert User.objects.get_by_natural_key("Alice@Example.com").email == "alice@example.com"
    with pytest.raises(IntegrityError):
        User.objects.create(email="ALICE@example.com")


def test_an_operator_made_on_the_command_line_may_operate() -> None:
    assert User.objects.create_superuser("root@example.com", "x").is_operator


def test_a_broker_account_belongs_to_one_person() -> None:
    make_account(make_client("alice"), "AB1001")

    with pytest.raises(IntegrityError):
        make_account(make_client("charlie"), "AB1001")


def test_accounts_whose_code_is_not_known_yet_do_not_clash() -> None:
    make_account(make_client("alice"), key="", broker_user_id="")
    make_account(make_client("charlie"), key="", broker_user_id="")


def test_only_one_feed_account_is_active() -> None:
    FeedAccount.objects.create(account=make_account(make_client("alice")))
    spare = FeedAccount.objects.create(account=make_account(make_client("charlie")), is_active=False)

    spare.is_active = True
    with pytest.raises(IntegrityError):
        spare.save()


@pytest.mark.parametrize("table", [House, Venue])
def test_there_is_one_house_and_one_venue(table: type[House] | type[Venue]) -> None:
    with pytest.raises(IntegrityError):
        table.objects.create(id=2)


def test_a_venue_is_not_deleted() -> None:
    with pytest.raises(TypeError):
        Venue.objects.create(name="live").delete()


def test_what_is_traded_has_a_size() -> None:
    account = make_account(make_client())

    make_watch_item(account, "INFY", quantity=None, trades_enabled=False)
    make_watch_item(account, "RELIANCE", quantity=None, quantity_mode="capital", capital=Decimal(50000))
    with pytest.raises(IntegrityError):
        make_watch_item(account, "ABBOTINDIA", quantity=0)


def test_an_instrument_stands_once_in_an_accounts_list() -> None:
    account = make_account(make_client())
    make_watch_item(account, "INFY")

    with pytest.raises(IntegrityError):
        WatchItem.objects.create(
            client=account.owner.client, account=account, instrument=make_instrument("INFY"), quantity=1
        )


def test_a_mapping_gives_between_nothing_and_everything() -> None:
    client = make_client()
    strategy = Strategy.objects.create(owner=client.user, name="ladder")

    with pytest.raises(IntegrityError):
        AccountStrategy.objects.create(account=make_account(client), strategy=strategy, allocation_percent=101)


def test_the_database_itself_refuses_a_second_live_exit() -> None:
    client = make_client()
    ids = AccountIds(make_account(client).pk, client.pk)
    create(exit_intent(), ids, decided_at=TEN_O_CLOCK, reason={}, wall=TEN_O_CLOCK)
    row = OrderIntentRow.objects.get()

    row.pk, row.tag, row.purpose_key = None, "OTHER", "other"
    with pytest.raises(IntegrityError, match=r"account_id|one_live_exit_a_position"):
        row.save(force_insert=True)


def test_an_instrument_row_gives_the_domains_instrument() -> None:
    instrument = make_instrument("RELIANCE", has_derivatives=True).to_domain()

    assert (instrument.key, instrument.tick_size, instrument.has_derivatives) == ("NSE:RELIANCE", Decimal("0.05"), True)
