"""Where a broker takes orders by telephone: the last way out when nothing else reaches it (`data/broker_desks.csv`)."""

import csv
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from trading.domain.broker_square_off import RUN_BY

NO_PHONE = frozenset({"paper"})
"""Brokers that nobody can call."""


def phone_words(brokers: Iterable[str]) -> str:
    """Say whom to call, to be put after a sentence's last word: ` or by its phone desk (+91 ...)`; empty when nobody.

    `brokers` are our words (`kite`). The numbers are to be checked before going live: the file says where from.
    """
    numbers = {_phones().get(RUN_BY.get(each, each), "") for each in brokers if each not in NO_PHONE} - {""}
    return f" or by its phone desk ({', '.join(sorted(numbers))})" if numbers else ""


@cache
def _phones() -> dict[str, str]:
    text = (files("trading.domain") / "data" / "broker_desks.csv").read_text(encoding="utf-8")
    return {record["broker"]: record["phone"] for record in csv.DictReader(text.splitlines())}
