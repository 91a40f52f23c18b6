"""What a client of an installation from before is said to be."""

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps

from tests.factories import make_client, make_user
from trading.models import Client
from trading.services.venue import claim_venue

pytestmark = pytest.mark.django_db
MIGRATION: Any = import_module("trading.migrations.0004_live_clients_are_live")


@pytest.mark.parametrize(("venue", "mode"), [("live", "live"), ("exchange-3f2a", "paper")])
def test_those_who_trade_on_a_live_installation_are_live_and_nobody_else(venue: str, mode: str) -> None:
    claim_venue(venue)
    trading, new = make_client("alice"), Client.objects.create(user=make_user("charlie"))

    MIGRATION.say_what_is(apps, None)
    trading.refresh_from_db()
    new.refresh_from_db()

    assert (trading.mode, new.mode) == (mode, "paper")
