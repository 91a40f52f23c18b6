"""Small questions about a client's broker accounts."""

from trading.domain.broker_square_off import RUN_BY
from trading.models import BrokerAccount, Client


def brokers_of(client: Client) -> frozenset[str]:
    """Give the brokers (`kite`) at which a client has accounts; all there are while it has none."""
    names = BrokerAccount.objects.filter(owner_id=client.user_id).values_list("broker", flat=True)
    return frozenset(names) or frozenset(RUN_BY)
