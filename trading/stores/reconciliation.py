"""Pictures and adoptions. Each function is one piece of work inside the caller's transaction."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from trading.domain.adoption import Adoption
from trading.models import AdoptionRow, ReconcileState
from trading.stores.accounts import AccountIds


def save_picture(ids: AccountIds, day: date, picture: Mapping[str, Any], *, wall: datetime) -> None:
    """Keep the newest picture of an account."""
    ReconcileState.objects.update_or_create(
        account_id=ids.account_id, day=day, defaults={"picture": dict(picture), "saved_at": wall}
    )


def save_adoption(ids: AccountIds, day: date, adoption: Adoption, *, wall: datetime) -> bool:
    """Insert an adoption; False when its key was kept before."""
    columns = {
        "instrument": adoption.instrument,
        "product": adoption.product,
        "net_quantity": adoption.net_quantity,
        "bought": adoption.bought,
        "sold": adoption.sold,
        "price": adoption.price,
        "at": adoption.at,
        "cause": adoption.cause,
        "by": adoption.by,
        "created_at": wall,
    }
    _, is_new = AdoptionRow.objects.get_or_create(
        account_id=ids.account_id, day=day, key=adoption.key, defaults=columns
    )
    return is_new


def adoptions_of(day: date) -> tuple[tuple[str, Adoption], ...]:
    """Give (account key, adoption) of a day, in the order in which they were made."""
    rows = AdoptionRow.objects.filter(day=day).select_related("account").order_by("id")
    return tuple((row.account.key, row.to_adoption()) for row in rows)
