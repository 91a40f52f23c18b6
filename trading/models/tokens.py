"""Personal tokens for the API. The secret is shown once; the table keeps its hash."""

from django.db import models
from django.utils import timezone

from trading.models.people import User


class ApiToken(models.Model):
    """One token of one person. `prefix` finds the row, `digest` is SHA-256 of the secret: 256 random bits need no salt.

    Times are wall time.
    """

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="api_tokens")
    name = models.CharField(max_length=60)
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.CharField(max_length=64)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} of {self.user}"
