"""Forms of the people's pages. They check shape; the services check rules."""

import re
from datetime import time
from typing import Any

from django import forms

from trading.models import Client

CLIENT_CODE = re.compile(r"^[A-Z0-9]{4,12}$")
LAST_ENTRY = time(15, 0)
TIME_OF_DAY = {"inputmode": "numeric", "placeholder": "15:00", "autocomplete": "off", "maxlength": 8}
"""A text field: the browser's own time field follows its locale, and 03:15 PM is no time of this market."""
AMOUNTS = ("daily_loss_limit", "daily_profit_limit", "max_order_value")


class BrokerKeysForm(forms.Form):
    """A Kite Connect app's keys. What was typed is never shown again, not even after a mistake."""

    broker_user_id = forms.CharField(
        label="Client code",
        max_length=12,
        help_text="The user id you sign in with at Kite.",
        widget=forms.TextInput(attrs={"placeholder": "AB1234", "autocomplete": "off", "autocapitalize": "characters"}),
    )
    api_key = forms.CharField(
        label="API key",
        max_length=64,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    api_secret = forms.CharField(
        label="API secret",
        max_length=64,
        help_text="Stored encrypted. It is never shown again, to nobody.",
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_broker_user_id(self) -> str:
        code: str = self.cleaned_data["broker_user_id"].strip().upper()
        if not CLIENT_CODE.match(code):
            raise forms.ValidationError("A client code has letters and digits, like AB1234.")
        return code


class LimitsForm(forms.ModelForm):  # type: ignore[type-arg]  # ModelForm is not generic at run time
    """What a client can lose in a day, and what stops it. An empty limit is no limit."""

    squares_off_on_kill = forms.TypedChoiceField(
        label="When you press the kill switch",
        choices=[("true", "Square off"), ("false", "Leave positions")],
        coerce=lambda value: value == "true",
        widget=forms.RadioSelect,
    )

    class Meta:
        model = Client
        fields = (
            "daily_loss_limit",
            "daily_profit_limit",
            "max_order_value",
            "max_trades_per_day",
            "max_open_positions",
            "no_new_entry_after",
            "square_off_at",
            "squares_off_on_kill",
        )
        labels = {
            "daily_loss_limit": "Largest loss in a day",
            "daily_profit_limit": "Stop at a profit of",
            "max_order_value": "Largest order",
            "max_trades_per_day": "Trades in a day",
            "max_open_positions": "Open positions at once",
            "no_new_entry_after": "No new entries after",
            "square_off_at": "Square off at",
        }
        help_texts = {
            "daily_loss_limit": "Realised and open together. At this figure everything is squared off until tomorrow.",
            "daily_profit_limit": "At this profit the day is over.",
            "max_order_value": "Quantity times price; a larger entry is refused.",
            "max_trades_per_day": "Entries, all instruments together.",
            "max_open_positions": "At this number no new entry is sent.",
            "no_new_entry_after": "15:00 at the latest. IST.",
            "square_off_at": "What the exchange or the broker itself ends sooner begins sooner. IST.",
        }
        widgets = {
            "no_new_entry_after": forms.TimeInput(attrs=TIME_OF_DAY, format="%H:%M"),
            "square_off_at": forms.TimeInput(attrs=TIME_OF_DAY, format="%H:%M"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in AMOUNTS:
            self.fields[name].widget.attrs.update({"inputmode": "decimal", "min": "0", "step": "any"})
            if self.initial.get(name) is not None:
                self.initial[name] = f"{self.initial[name].normalize():f}"
        self.fields["daily_loss_limit"].required = True
        if self.instance.pk:
            self.initial["squares_off_on_kill"] = str(self.instance.squares_off_on_kill).lower()

    def clean_no_new_entry_after(self) -> time:
        moment: time = self.cleaned_data["no_new_entry_after"]
        if moment > LAST_ENTRY:
            raise forms.ValidationError("No new entries after 15:00: this must be 15:00 or earlier.")
        return moment
