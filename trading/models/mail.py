"""The outbox: a mail is a row first, then a worker sends it."""

from uuid import uuid4

from django.db import models

from trading.models.secret import Secret, seal, unseal


class OutgoingMail(models.Model):
    """One mail on its way, or sent. The body may carry a one-time code, so it is sealed, and emptied once it
    was sent (in the demo it stays, for the page that stands in for a mailbox)."""

    public_id = models.UUIDField(default=uuid4, unique=True, editable=False)
    recipient = models.EmailField()
    subject = models.CharField(max_length=200)
    sealed_body = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField(db_index=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True, help_text="wall time; whoever sends it moves it first")
    last_error = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"mail {self.public_id} to {self.recipient}"

    @property
    def body(self) -> Secret:
        """The text, or an empty secret when it was wiped."""
        return unseal(self.sealed_body, place=self._place()) if self.sealed_body else Secret("")

    def write_body(self, text: str) -> None:
        """Seal the text for this row; the caller saves."""
        self.sealed_body = seal(text, place=self._place())

    def _place(self) -> list[str]:
        return ["trading.outgoingmail", "body", str(self.public_id)]
