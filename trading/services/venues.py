"""Where the accounts of this installation live, and which of them may trade. Nobody else reads these addresses.

`live` and `demo`: every account is at the broker of KITE_ROOT (in the demo the simulated exchange) and trades there.
`paper`: accounts of `BrokerName.PAPER` are at the paper exchange, on this machine, and trade there; a real account only
reads prices, through an adapter that cannot send an order. An account that does not belong here gets no adapter.
"""

from dataclasses import dataclass

from django.conf import settings

from trading.domain.errors import BrokerAuthError, ConfigurationError
from trading.models import BrokerAccount, BrokerName, Client, FeedAccount, User


@dataclass(frozen=True, slots=True)
class Place:
    """The addresses of one broker. `login` is the whole address of its sign-in page."""

    rest: str
    ws: str
    login: str


def place_of(account: BrokerAccount) -> Place:
    """Give where an account is signed in and read. Raises ConfigurationError for a paper account elsewhere."""
    if not account.is_paper:
        return Place(settings.KITE_ROOT, settings.KITE_WS_ROOT, settings.KITE_LOGIN_ROOT)
    if not settings.IS_PAPER:
        raise ConfigurationError(
            f"{account} is a paper account and this installation trades {settings.ALGO_VENUE}: it is not used here"
        )
    if not settings.PAPER_ROOT:
        raise ConfigurationError(f"{account} is a paper account and PAPER_ROOT says nowhere where the exchange is")
    return Place(settings.PAPER_ROOT, settings.PAPER_WS_ROOT, settings.PAPER_LOGIN_ROOT)


def trading_place_of(account: BrokerAccount) -> Place:
    """Give where an account's orders go. Raises ConfigurationError for one that may not trade here."""
    if settings.IS_PAPER and not account.is_paper:
        raise ConfigurationError(f"{account} is a real account: on paper it feeds prices and never trades")
    return place_of(account)


def broker_name_for(owner: User) -> BrokerName:
    """Say what kind of account a person connects here: on paper a client's is a paper account."""
    is_client = Client.objects.filter(user=owner).exists()
    return BrokerName.PAPER if settings.IS_PAPER and is_client else BrokerName.KITE


def history_account(account: BrokerAccount) -> BrokerAccount:
    """Give the account whose session reads candles for this one: itself, for a paper account the feed's.

    The paper exchange knows no day before today. Raises BrokerAuthError without a feed that others may see.
    """
    if not account.is_paper:
        return account
    feed = FeedAccount.objects.select_related("account").filter(is_active=True).first()
    if feed is None or not feed.consents.filter(withdrawn_at=None).exists():
        raise BrokerAuthError("on paper candles are the feed account's, and its holder has not agreed to share them")
    return feed.account
