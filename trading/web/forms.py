"""Forms of the people's pages. They check shape; the services check rules."""

import re
from datetime import date, time, timedelta
from typing import Any

from django import forms

from trading.domain.money import grouped
from trading.models import Client, House, User
from trading.services.caps import CAPS
from trading.services.limits import asked_limits

CLIENT_CODE = re.compile(r"^[A-Z0-9]{4,12}$")
LAST_ENTRY = time(15, 0)
TIME_OF_DAY = {"inputmode": "numeric", "placeholder": "15:00", "autocomplete": "off", "maxlength": 8}
"""A text field: the browser's own time field follows its locale, and 03:15 PM is no time of this market."""
AMOUNTS = ("daily_loss_limit", "daily_profit_limit", "max_order_value", "price_collar_percent", "disaster_stop_percent")


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
            "max_order_quantity",
            "price_collar_percent",
            "disaster_stop_percent",
            "max_trades_per_day",
            "max_open_positions",
            "max_entries_per_ladder",
            "no_new_entry_after",
            "square_off_at",
            "squares_off_on_kill",
        )
        labels = {
            "daily_loss_limit": "Largest loss in a day",
            "daily_profit_limit": "Stop at a profit of",
            "max_order_value": "Largest order",
            "max_order_quantity": "Most units in an order",
            "price_collar_percent": "Price collar, percent",
            "disaster_stop_percent": "Stop at the exchange, percent beyond the ladder's",
            "max_entries_per_ladder": "Entries of one ladder",
            "max_trades_per_day": "Trades in a day",
            "max_open_positions": "Open positions at once",
            "no_new_entry_after": "No new entries after",
            "square_off_at": "Square off at",
        }
        help_texts = {
            "daily_loss_limit": "Realised and open together. At this figure everything is squared off until tomorrow.",
            "daily_profit_limit": "At this profit the day is over.",
            "max_order_value": "Quantity times price; a larger entry is refused.",
            "max_order_quantity": "An entry of more units is refused.",
            "disaster_stop_percent": "The last net when this machine fails. Empty: none. Gone before any other exit.",
            "price_collar_percent": "No entry at a price further than this from yesterday's close.",
            "max_entries_per_ladder": "In a day, one instrument. Beyond it that ladder stops until you let it go on.",
            "max_trades_per_day": "Entries, all instruments together.",
            "max_open_positions": "At this number no new entry is sent.",
            "no_new_entry_after": "15:00 at the latest. IST.",
            "square_off_at": "What the exchange or the broker itself ends sooner begins sooner. IST.",
        }
        widgets = {
            "no_new_entry_after": forms.TimeInput(attrs=TIME_OF_DAY, format="%H:%M"),
            "square_off_at": forms.TimeInput(attrs=TIME_OF_DAY, format="%H:%M"),
        }

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._show_what_was_asked(today)
        for name in AMOUNTS:
            self.fields[name].widget.attrs.update({"inputmode": "decimal", "min": "0", "step": "any"})
            if self.initial.get(name) is not None:
                self.initial[name] = f"{self.initial[name].normalize():f}"
        self.fields["daily_loss_limit"].required = True
        if self.instance.pk:
            self.initial["squares_off_on_kill"] = str(self.instance.squares_off_on_kill).lower()

    def _show_what_was_asked(self, today: date) -> None:
        """Show the newest wish of each limit, and beside a raise that waits what counts until then."""
        now = self.instance.limits_on(today)
        self.initial.update(asked_limits(self.instance))
        for name, raised in self.instance.raises.items():
            begins = date.fromisoformat(raised["from"])
            if begins > today:
                present = grouped(now[name]) if name in AMOUNTS else str(now[name])
                until = begins - timedelta(days=1)
                self.fields[name].help_text = f"{present} counts until {until:%d %b}, this from {begins:%d %b} on."

    def clean_no_new_entry_after(self) -> time:
        moment: time = self.cleaned_data["no_new_entry_after"]
        if moment > LAST_ENTRY:
            raise forms.ValidationError("No new entries after 15:00: this must be 15:00 or earlier.")
        return moment


class HouseCapsForm(forms.ModelForm):  # type: ignore[type-arg]  # ModelForm is not generic at run time
    """What no client's entry may exceed, whatever the client's own limits say. None of them can be empty."""

    class Meta:
        model = House
        fields = tuple(CAPS)
        labels = {
            "cap_order_value": "Largest order",
            "cap_order_quantity": "Most units in an order",
            "cap_collar_percent": "Price collar, percent",
            "cap_trades_a_day": "Trades of a client in a day",
            "cap_open_positions": "Open positions of a client",
            "cap_entries_a_ladder": "Entries of one ladder in a day",
            "cap_same_side_entries": "Entries on one side",
            "cap_same_side_seconds": "Within so many seconds",
            "needs_algo_id": "Send no entry without the account's own algo id",
        }
        help_texts = {
            "cap_order_value": "Rupees, quantity times price; all slices of an entry together.",
            "cap_order_quantity": "Units, all slices of an entry together.",
            "cap_collar_percent": "No entry at a price further than this from yesterday's close.",
            "cap_entries_a_ladder": "Beyond it the ladder stops until a person lets it go on.",
            "cap_same_side_entries": "Of one ladder; beyond it the ladder stops until a person lets it go on.",
            "cap_same_side_seconds": "Market time.",
            "needs_algo_id": "Without this the broker is presumed to add its generic id; ask it before going live.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("cap_order_value", "cap_collar_percent"):
            self.fields[name].widget.attrs.update({"inputmode": "decimal", "min": "0", "step": "any"})
            self.initial[name] = f"{self.initial[name].normalize():f}"


class AlarmForm(forms.ModelForm):  # type: ignore[type-arg]  # ModelForm is not generic at run time
    """Which alarms a person wants beyond the critical ones."""

    class Meta:
        model = User
        fields = ("mails_warnings", "alarm_sound")
