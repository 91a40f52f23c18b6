"""Secrets at rest: a text that is stored encrypted and never shows itself.

A ciphertext carries the model, the field and the row it was made for, so that one copied into another
row or column is refused. Keys come from `settings.FIELD_KEYS`; the first one writes, all of them read.
"""

import json
from functools import lru_cache
from typing import Any, Self, overload
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models

from trading.domain.errors import ConfigurationError, TradingError


class SecretRefused(TradingError):
    """A ciphertext does not belong where it stands, was edited, or its key is gone."""

    code = "SECRET_REFUSED"


class Secret:
    """A text that prints as dots. `reveal` is the only way to it; an empty secret is false."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Give the text itself. Never log or render what this returns."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __str__(self) -> str:
        return "••••••••" if self._text else ""

    def __repr__(self) -> str:
        return f"Secret({str(self)!r})"

    def __reduce__(self) -> Any:
        raise TypeError("a Secret is not pickled")


class Ciphertext(str):
    """What stands in the column."""

    __slots__ = ()


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    if not keys:
        raise ConfigurationError("FIELD_KEYS was empty: broker secrets cannot be stored or read")
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError as error:
        raise ConfigurationError("FIELD_KEYS held something that is no Fernet key") from error


def _keys() -> MultiFernet:
    return _fernet(tuple(settings.FIELD_KEYS))


def seal(text: str, *, place: list[str]) -> Ciphertext:
    """Encrypt with the first key for one place (model, field, row)."""
    payload = json.dumps({"place": place, "text": text})
    return Ciphertext(_keys().encrypt(payload.encode()).decode())


def unseal(sealed: str, *, place: list[str]) -> Secret:
    """Decrypt what was sealed for exactly this place. Raises SecretRefused."""
    try:
        payload = json.loads(_keys().decrypt(sealed.encode()))
    except (InvalidToken, ValueError) as error:
        raise SecretRefused(f"the secret at {'.'.join(place[:2])} could not be decrypted") from error
    if payload["place"] != place:
        raise SecretRefused(f"the secret at {'.'.join(place[:2])} was made for another place")
    return Secret(payload["text"])


class SecretField(models.TextField):  # type: ignore[type-arg]  # the descriptor below has the types
    """A column of ciphertext that is its own attribute: reads give a Secret, assigning takes str or Secret.

    The row must have `owner_id` and a `seal_id` (UUID made with the row).

    Not editable and not serialised: no form, admin page or dump shows it. Saved only through its own
    row (`update()` with a plain text raises), and cannot be searched.
    """

    def __init__(self, **options: Any) -> None:
        options.update(editable=False, serialize=False, blank=True, default="")
        super().__init__(**options)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        for fixed in ("editable", "serialize", "blank", "default"):
            kwargs.pop(fixed, None)
        return name, path, args, kwargs

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:  # noqa: FBT001, FBT002 (Django's signature)
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, self.attname, self)

    @overload  # type: ignore[override]  # narrower than Field's, on purpose
    def __get__(self, instance: None, owner: type[models.Model]) -> Self: ...
    @overload
    def __get__(self, instance: models.Model, owner: type[models.Model]) -> Secret: ...
    def __get__(self, instance: models.Model | None, owner: type[models.Model]) -> Self | Secret:
        if instance is None:
            return self
        if self.attname not in instance.__dict__:  # a deferred column
            instance.refresh_from_db(fields=[self.attname])
        value = instance.__dict__[self.attname]
        return self.opened(instance, value) if isinstance(value, Ciphertext) else value

    def __set__(self, instance: models.Model, value: str | Secret) -> None:
        kept = value if isinstance(value, Secret | Ciphertext) else Secret(value)
        instance.__dict__[self.attname] = kept

    def from_db_value(self, value: str | None, expression: object, connection: object) -> Ciphertext | Secret:
        return Ciphertext(value) if value else Secret("")

    def opened(self, row: models.Model, sealed: Ciphertext) -> Secret:
        """Decrypt a column's value for the row it stands in."""
        return unseal(sealed, place=self._place(row))

    def pre_save(self, model_instance: models.Model, add: bool) -> Ciphertext:  # noqa: FBT001 (Django's signature)
        value = model_instance.__dict__[self.attname]
        if isinstance(value, Ciphertext):
            self.opened(model_instance, value)  # never carry a foreign ciphertext along
            return value
        return seal(value.reveal(), place=self._place(model_instance)) if value else Ciphertext("")

    def get_prep_value(self, value: Any) -> str:
        if not isinstance(value, Ciphertext):
            raise TypeError(f"{self.name} is saved through its row and cannot be searched")
        return str(value)

    def value_from_object(self, obj: models.Model) -> str:
        return str(getattr(obj, self.attname))

    def _place(self, row: models.Model) -> list[str]:
        owner_id, seal_id = getattr(row, "owner_id", None), getattr(row, "seal_id", None)
        if owner_id is None or not isinstance(seal_id, UUID):
            raise SecretRefused(f"{row._meta.label}.{self.name} needs an owner and a seal_id before its secret")
        return [row._meta.label_lower, self.name, str(owner_id), str(seal_id)]
