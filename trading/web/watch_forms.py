"""The form of one watchlist line: its size, and what differs from the strategy's ladder."""

import re
from datetime import time
from typing import Any, cast

from django import forms

from trading.domain.ladder_config import LadderConfig, RangeSource, Rearm, Sides, Trigger
from trading.models import BrokerAccount, InstrumentRow, QuantityMode, WatchItem
from trading.services.watchlist import BY_HAND, Wish

AS_STRATEGY = "as the strategy"
ADVANCED = (
    "entry_buy_fraction", "entry_sell_fraction", "target_fractions", "stop_fractions", "booking_fractions",
    "min_step_bps", "session_start",
)  # fmt: skip
"""Shown folded away; the others are in sight."""
LISTS = ("target_fractions", "stop_fractions", "booking_fractions")
NEEDED_FOR = {
    "opening_range_minutes": RangeSource.OPENING_RANGE,
    "manual_high": RangeSource.MANUAL,
    "manual_low": RangeSource.MANUAL,
}
"""Settings that belong to one source of the range; with another one they are not kept."""
_BETWEEN = re.compile(r"[\s,;]+")


def _words(*pairs: tuple[str, str], label: str | None = None) -> forms.ChoiceField:
    return forms.ChoiceField(required=False, label=label, choices=[("", AS_STRATEGY), *pairs])


def _hand_price(label: str) -> forms.DecimalField:
    return forms.DecimalField(required=False, label=label, help_text="Rupees. It holds until you change it.")


def _time() -> forms.TimeField:
    return forms.TimeField(required=False, widget=forms.TimeInput(attrs={"autocomplete": "off"}))


class WatchForm(forms.Form):
    """Size, switch and ladder of one line. Whatever of the ladder is left empty follows the strategy."""

    quantity_mode = forms.ChoiceField(label="Size", choices=QuantityMode.choices, widget=forms.RadioSelect)
    quantity = forms.IntegerField(label="Quantity", required=False, help_text="Units of each entry.")
    capital = forms.DecimalField(
        label="Capital", required=False, help_text="Rupees of each entry; whole lots that this pays for."
    )
    trades_enabled = forms.BooleanField(label="The ladder trades it", required=False)

    sides = _words((Sides.BOTH, "both"), (Sides.LONG, "long only"), (Sides.SHORT, "short only"))
    trigger = _words((Trigger.CROSS, "when the level is crossed"), (Trigger.LEVEL, "at or beyond the level"))
    rearm = _words((Rearm.FLAT, "only when flat"), (Rearm.ANY, "at any time"))
    range_source = _words(
        (RangeSource.PREVIOUS_DAY, "previous session"),
        (RangeSource.OPENING_RANGE, "opening range of today"),
        (RangeSource.MANUAL, "set by hand"),
        label="Range from",
    )
    opening_range_minutes = forms.IntegerField(
        required=False, label="Opening range, minutes", help_text="From 09:15. Entries begin when they are over."
    )
    manual_high = _hand_price("Range by hand, high")
    manual_low = _hand_price("Range by hand, low")
    max_entries_per_side = forms.IntegerField(required=False, label="Entries a side and day")
    min_lots = forms.IntegerField(required=False, label="At least, lots")
    no_new_entry_after = _time()
    square_off_at = _time()
    session_start = _time()
    min_step_bps = forms.DecimalField(required=False, label="Smallest step, basis points")
    entry_buy_fraction = forms.DecimalField(required=False, label="Buy level, fraction of the range above the low")
    entry_sell_fraction = forms.DecimalField(required=False, label="Sell level, fraction below the high")
    target_fractions = forms.CharField(required=False, label="Targets T1 to T10, fractions of the range")
    stop_fractions = forms.CharField(required=False, label="Stops Y1 to Y10, fractions of the range")
    booking_fractions = forms.CharField(required=False, label="Booked at T1 to T10, fractions of the quantity")

    def __init__(
        self, data: Any = None, *, instrument: InstrumentRow | None, base: LadderConfig, item: WatchItem | None = None
    ) -> None:
        super().__init__(data, initial=_initial(item))
        self._base = base.to_mapping()
        for name, value in self._base.items():
            if name in self.fields and value is not None:
                _show_default(self.fields[name], _shown(value))
        lot = 1 if instrument is None else instrument.lot_size
        self.fields["quantity"].widget.attrs.update({"inputmode": "numeric", "min": lot, "step": lot})
        self.fields["capital"].widget.attrs.update({"inputmode": "decimal", "min": "0", "step": "any"})
        for name in ("min_step_bps", "entry_buy_fraction", "entry_sell_fraction", *BY_HAND):
            self.fields[name].widget.attrs["step"] = "any"
        if lot > 1:
            self.fields["quantity"].help_text = f"Units of each entry, in lots of {lot}."

    def plain_fields(self) -> list[forms.BoundField]:
        """Give the ladder fields that are in sight."""
        return [self[name] for name in self._ladder_names() if name not in ADVANCED]

    def advanced_fields(self) -> list[forms.BoundField]:
        """Give the ladder fields that are folded away."""
        return [self[name] for name in self._ladder_names() if name in ADVANCED]

    def wish(self) -> Wish:
        """Give what was typed, as the service takes it. Needs a valid form."""
        data = self.cleaned_data
        return Wish(
            quantity_mode=QuantityMode(data["quantity_mode"]),
            quantity=data["quantity"],
            capital=data["capital"],
            trades_enabled=data["trades_enabled"],
            config=self._differences(),
        )

    def _ladder_names(self) -> list[str]:
        return [name for name in self.fields if name in self._base]

    def _differences(self) -> dict[str, Any]:
        """Keep what was typed and is not the strategy's own value, in the JSON form of LadderConfig."""
        typed = {name: _to_json(name, self.cleaned_data[name]) for name in self._ladder_names()}
        source = typed["range_source"] or self._base["range_source"]
        idle = {name for name, needed in NEEDED_FOR.items() if needed != source}
        return {
            name: value
            for name, value in typed.items()
            if value is not None and value != self._base[name] and name not in idle
        }


def account_choices(accounts: list[BrokerAccount]) -> list[tuple[int, str]]:
    """Give the accounts a line may belong to."""
    return [(account.pk, f"{account.get_broker_display()} · {account.broker_user_id}") for account in accounts]


def _show_default(field: forms.Field, value: str) -> None:
    """Let an empty field say the strategy's own value."""
    if isinstance(field, forms.ChoiceField):
        pairs = cast(list[tuple[str, str]], field.choices)[1:]
        field.choices = [("", f"{dict(pairs).get(value, value)} ({AS_STRATEGY})"), *pairs]
    else:
        field.widget.attrs["placeholder"] = value


def _initial(item: WatchItem | None) -> dict[str, Any]:
    if item is None:
        return {"quantity_mode": QuantityMode.FIXED, "trades_enabled": True}
    return {
        "quantity_mode": item.quantity_mode,
        "quantity": item.quantity,
        "capital": None if item.capital is None else f"{item.capital.normalize():f}",
        "trades_enabled": item.trades_enabled,
        **{name: _shown(value) for name, value in item.config.items()},
    }


def _shown(value: Any) -> str:
    return ", ".join(str(one) for one in value) if isinstance(value, list | tuple) else str(value)


def _to_json(name: str, value: Any) -> Any:
    if value is None or value == "":
        return None
    if name in LISTS:
        return [part for part in _BETWEEN.split(value.strip()) if part]
    if isinstance(value, time):
        return value.isoformat("seconds")
    return value if isinstance(value, int) else str(value)
