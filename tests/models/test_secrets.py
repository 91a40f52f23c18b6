"""Secrets at rest: unreadable in the database, bound to their row, silent everywhere else."""

import pickle
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core import serializers
from django.core.management import call_command
from django.db import connection
from django.forms.models import model_to_dict, modelform_factory
from pytest_django import Settings

from tests.factories import TEN_O_CLOCK, make_account, make_client
from trading.domain.errors import ConfigurationError
from trading.models import BrokerAccount, OutgoingMail, Secret, SecretRefused

pytestmark = pytest.mark.django_db

PLAIN = "secretAB1001"


def raw(account: BrokerAccount, column: str = "api_secret") -> str:
    """Read a column as it stands in the database."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM trading_brokeraccount WHERE id = %s", [account.pk])  # noqa: S608
        return str(cursor.fetchone()[0])


def overwrite(account: BrokerAccount, ciphertext: str, column: str = "api_secret") -> BrokerAccount:
    """Write a column past the field, as somebody with the database in hand would."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE trading_brokeraccount SET {column} = %s WHERE id = %s",  # noqa: S608
            [ciphertext, account.pk],
        )
    return BrokerAccount.objects.get(pk=account.pk)


def test_a_secret_is_read_back_and_the_database_holds_no_trace_of_it() -> None:
    account = make_account(make_client())

    assert BrokerAccount.objects.get().api_secret.reveal() == PLAIN
    assert PLAIN not in raw(account)
    assert raw(account) != raw(make_account(make_client("charlie"), api_secret=PLAIN))


def test_a_secret_is_kept_when_other_columns_are_saved() -> None:
    make_account(make_client())
    account = BrokerAccount.objects.get()
    before = raw(account)

    account.label = "renamed"
    account.save()

    assert raw(account) == before
    assert BrokerAccount.objects.defer("api_secret").get().api_secret.reveal() == PLAIN


def test_no_secret_is_false_and_stands_empty() -> None:
    account = make_account(make_client(), access_token="")

    assert not BrokerAccount.objects.get().access_token
    assert BrokerAccount.objects.get().access_token.reveal() == ""
    assert raw(account, "access_token") == ""


def test_a_ciphertext_copied_into_another_persons_row_is_refused() -> None:
    alices, charlies = make_account(make_client("alice")), make_account(make_client("charlie"))

    robbed = overwrite(charlies, raw(alices))

    with pytest.raises(SecretRefused, match="another place"):
        _ = robbed.api_secret


def test_a_ciphertext_copied_into_another_account_of_the_same_person_is_refused() -> None:
    client = make_client()
    first, second = make_account(client), make_account(client, "AB2002")

    with pytest.raises(SecretRefused, match="another place"):
        _ = overwrite(second, raw(first)).api_secret


def test_a_ciphertext_copied_into_another_column_is_refused() -> None:
    account = make_account(make_client())

    with pytest.raises(SecretRefused, match="another place"):
        _ = overwrite(account, raw(account, "api_secret"), "access_token").access_token


def test_a_foreign_ciphertext_is_not_carried_along_by_saving() -> None:
    alices, charlies = make_account(make_client("alice")), make_account(make_client("charlie"))
    robbed = overwrite(charlies, raw(alices))

    with pytest.raises(SecretRefused):
        robbed.save()


def test_an_edited_ciphertext_is_refused() -> None:
    account = make_account(make_client())
    sealed = raw(account)
    middle = len(sealed) // 2
    edited = sealed[:middle] + ("A" if sealed[middle] != "A" else "B") + sealed[middle + 1 :]

    with pytest.raises(SecretRefused, match="could not be decrypted"):
        _ = overwrite(account, edited).api_secret


def test_a_plain_text_in_the_column_is_refused() -> None:
    account = make_account(make_client())

    with pytest.raises(SecretRefused):
        _ = overwrite(account, "not sealed at all").api_secret


def test_a_secret_shows_itself_nowhere() -> None:
    account = make_account(make_client())
    form = modelform_factory(BrokerAccount, fields="__all__")(instance=account)
    secret = account.api_secret

    shown = [
        *(str(secret), repr(secret), f"{secret}", repr(account), str(vars(BrokerAccount.objects.get()))),
        *(str(model_to_dict(account)), str(form), serializers.serialize("json", [account])),
    ]

    assert not [text for text in shown if PLAIN in text]
    assert "api_secret" not in form.fields
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_secrets_cannot_be_searched_or_written_past_their_row() -> None:
    make_account(make_client())

    with pytest.raises(TypeError, match="cannot be searched"):
        BrokerAccount.objects.filter(api_secret=PLAIN).exists()
    with pytest.raises(TypeError, match="saved through its row"):
        BrokerAccount.objects.update(api_secret="plain")


def test_rotating_writes_everything_with_the_first_key_so_that_the_old_one_can_go(settings: Settings) -> None:
    old, new = settings.FIELD_KEYS[0], Fernet.generate_key().decode()
    make_account(make_client("alice"))
    make_account(make_client("charlie"), access_token="")
    mail = OutgoingMail(recipient="alice@example.com", subject="Your code", created_at=TEN_O_CLOCK)
    mail.write_body("1234-5678")
    mail.save()
    settings.FIELD_KEYS = [new, old]
    said = StringIO()

    call_command("rotate_field_keys", stdout=said)

    settings.FIELD_KEYS = [new]
    revealed = [account.api_secret.reveal() for account in BrokerAccount.objects.order_by("id")]
    assert revealed == ["secretAB1001", "secretAB1003"]
    assert OutgoingMail.objects.get().body.reveal() == "1234-5678"
    assert said.getvalue() == "6 secrets were encrypted again with the first key\n"
    settings.FIELD_KEYS = [old]
    with pytest.raises(SecretRefused):
        _ = BrokerAccount.objects.first().api_secret  # type: ignore[union-attr]


def test_rotating_without_the_old_key_changes_nothing(settings: Settings) -> None:
    account = make_account(make_client())
    before = raw(account)
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(SecretRefused):
        call_command("rotate_field_keys")

    assert raw(account) == before


@pytest.mark.parametrize("keys", [[], ["too short"]])
def test_missing_or_broken_keys_stop_everything(settings: Settings, keys: list[str]) -> None:
    settings.FIELD_KEYS = keys

    with pytest.raises(ConfigurationError, match="FIELD_KEYS"):
        make_account(make_client())


def test_secrets_are_equal_by_their_text() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
