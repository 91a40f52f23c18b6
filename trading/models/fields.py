"""Columns that many tables share."""

from typing import Any

from django.db import models


def money(**options: Any) -> "models.DecimalField[Any, Any]":
    """Make a column for rupees: exact, four decimals (currency derivatives move by 0.0025)."""
    return models.DecimalField(max_digits=16, decimal_places=4, **options)


def choices_of(words: Any) -> list[tuple[str, str]]:
    """Give a domain enum's words as Django choices."""
    return [(str(word), str(word).replace("_", " ").capitalize()) for word in words]
