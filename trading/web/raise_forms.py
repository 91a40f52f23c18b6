"""Raising a state is deliberately slow: a reason in words and a word typed by hand."""

from typing import Any

from django import forms

FEWEST_LETTERS = 5


class RaiseForm(forms.Form):
    """Why trading may go on, and the confirmation typed out. `expected` is what must be typed."""

    reason = forms.CharField(
        label="Reason",
        max_length=200,
        help_text="What was wrong, and why it is right again. It stays in the log.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    seen = forms.CharField(required=False, max_length=400)
    """What the page showed as stopped; a form sent again after another stop raises nothing."""
    confirmation = forms.CharField(
        label="Confirmation",
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, data: Any = None, *, expected: str) -> None:
        super().__init__(data)
        self.expected = expected
        self.fields["confirmation"].help_text = f"Type {expected}"

    def clean_reason(self) -> str:
        reason: str = self.cleaned_data["reason"].strip()
        if len(reason) < FEWEST_LETTERS:
            raise forms.ValidationError("Say in a few words why trading may go on.")
        return reason

    def clean_confirmation(self) -> str:
        typed: str = self.cleaned_data["confirmation"].strip()
        if typed != self.expected:
            raise forms.ValidationError(f"Type {self.expected} exactly, to confirm.")
        return typed
