"""Finding a client by what a person types."""

from trading.models import Client


def find_client(whom: str) -> Client | None:
    """Find a client by e-mail address, whatever its case, or by number."""
    known = Client.objects.select_related("user")
    return (
        known.filter(pk=int(whom)) if whom.isascii() and whom.isdigit() else known.filter(user__email__iexact=whom)
    ).first()
