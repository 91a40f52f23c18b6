"""Personal API tokens: made and revoked by their owner, shown once, found by constant-time comparison."""

import hmac
import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from django.db import transaction

from trading.domain.errors import RiskDenied
from trading.models import ApiToken, Client, User
from trading.ports import Clock
from trading.services.events import actor, record

DAYS = 90
"""A token ends after this many days: one that was forgotten somewhere does not work for ever."""
MOST_A_PERSON = 10
NAMED = "algo"
NO_DIGEST = "0" * 64


class Scope(StrEnum):
    """What a token may do."""

    KILL = "kill"


def make_token(user: User, name: str, scopes: list[Scope], *, clock: Clock) -> tuple[ApiToken, str]:
    """Make a token, and give it with its text, which nobody can read again. Raises RiskDenied (TOO_MANY_TOKENS)."""
    now = clock.wall()
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    with transaction.atomic():
        if len(valid_tokens(user, now)) >= MOST_A_PERSON:
            raise RiskDenied("TOO_MANY_TOKENS", f"{MOST_A_PERSON} tokens are valid already; revoke one first")
        token = ApiToken.objects.create(
            user=user,
            name=name,
            prefix=prefix,
            digest=_digest(secret),
            scopes=[scope.value for scope in scopes],
            created_at=now,
            expires_at=now + timedelta(days=DAYS),
        )
        _tell(token, "TOKEN_MADE", by=user, clock=clock)
    return token, f"{NAMED}_{prefix}_{secret}"


def revoke_token(user: User, token_id: int, *, clock: Clock) -> ApiToken:
    """End one of the person's own tokens at once; ending it again changes nothing. Raises ApiToken.DoesNotExist."""
    with transaction.atomic():
        token = ApiToken.objects.select_for_update().get(pk=token_id, user=user)
        if token.revoked_at is None:
            token.revoked_at = clock.wall()
            token.save(update_fields=["revoked_at"])
            _tell(token, "TOKEN_REVOKED", by=user, clock=clock)
    return token


def find_token(text: str, *, clock: Clock) -> ApiToken | None:
    """Give the token of this text while it is valid and its owner active; None for anything else."""
    _, _, rest = text.partition("_")
    prefix, _, secret = rest.partition("_")
    row = ApiToken.objects.select_related("user").filter(prefix=prefix).first()
    # One that nobody has is compared, too: the answer's time tells nothing.
    is_same = hmac.compare_digest(_digest(secret), row.digest if row else NO_DIGEST)
    now = clock.wall()
    if row is None or not is_same or not text.startswith(f"{NAMED}_") or not _is_valid(row, now):
        return None
    ApiToken.objects.filter(pk=row.pk).update(last_used_at=now)
    return row


def valid_tokens(user: User, now: datetime) -> list[ApiToken]:
    """Give the tokens of a person that work now, newest first."""
    return [
        token
        for token in ApiToken.objects.filter(user=user).select_related("user").order_by("-id")
        if _is_valid(token, now)
    ]


def _is_valid(token: ApiToken, now: datetime) -> bool:
    return token.revoked_at is None and now < token.expires_at and token.user.is_active


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def _tell(token: ApiToken, kind: str, *, by: User, clock: Clock) -> None:
    client = Client.objects.filter(user=token.user).first()
    told = {"by": actor(by), "name": token.name, "scopes": " ".join(token.scopes)}
    record(client.pk if client else None, kind, told, clock=clock)
