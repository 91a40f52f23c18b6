"""The order in which a client reads the watchlist. It is for the eye alone: the engine trades without it."""

from typing import Literal

from django.db import transaction

from trading.models import Client, WatchItem

Direction = Literal["up", "down"]


def move(client: Client, item_id: int, direction: Direction) -> None:
    """Move one line by one place; the first cannot go up, the last cannot go down.

    Raises WatchItem.DoesNotExist for a line that is not this client's.
    """
    with transaction.atomic():
        rows = list(WatchItem.objects.select_for_update().filter(client=client).order_by("position", "id"))
        place = next((place for place, row in enumerate(rows) if row.pk == item_id), None)
        if place is None:
            raise WatchItem.DoesNotExist
        other = place - 1 if direction == "up" else place + 1
        if not 0 <= other < len(rows):
            return
        rows[place], rows[other] = rows[other], rows[place]
        for position, row in enumerate(rows):
            row.position = position
        WatchItem.objects.bulk_update(rows, ["position"])
