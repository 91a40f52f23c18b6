"""Template filters and tags: thin faces of `web.formats`."""

from datetime import datetime
from decimal import Decimal
from secrets import token_urlsafe

from django import template
from django.forms import BoundField
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from trading.domain.alarms import AlarmKind
from trading.domain.money import signed
from trading.web import formats

register = template.Library()
register.filter(signed)


def _number(value: object) -> Decimal | None:
    """Templates carry Decimals and their strings; anything else is unknown."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int | str) and not isinstance(value, bool) and value != "":
        try:
            return Decimal(value)
        except ArithmeticError:
            return None
    return None


@register.filter
def price(value: object, places: int = 2) -> str:
    return formats.price(_number(value), places)


@register.filter
def rupees(value: object, places: int = 2) -> str:
    return formats.rupees(_number(value), places)


@register.filter
def pnl(value: object) -> str:
    return formats.pnl(_number(value))


@register.filter
def percent(value: object) -> str:
    return formats.percent(_number(value))


@register.filter
def sign(value: object) -> str:
    """Give "up", "down" or "flat": the value of data-sign."""
    return formats.sign_of(_number(value))


@register.filter
def ist(value: datetime | None) -> str:
    return formats.ist(value)


@register.filter
def ist_ms(value: datetime | None) -> str:
    return formats.ist(value, with_ms=True)


@register.filter
def age(value: float | None) -> str:
    return formats.age(value)


@register.filter
def phase(value: str) -> str:
    return formats.phase(value)


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw one icon of the sprite; it says nothing to screen readers, so put words beside it."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        static("theme/icons.svg"),
        name,
    )


@register.simple_tag
def alarm_page(kind: AlarmKind) -> str:
    """Give the address of the page that helps with an alarm; the status page where the named one needs more words."""
    try:
        return reverse(kind.page)
    except NoReverseMatch:
        return reverse("status")


@register.simple_tag
def press() -> SafeString:
    """Name the next press of a kill switch, in its form: sent twice it counts once."""
    return format_html('<input type="hidden" name="press" value="{}">', token_urlsafe(12))


@register.simple_tag
def control(field: BoundField, extra: str = "") -> SafeString:
    """Draw a form field's control in our look; Django adds aria-invalid and aria-describedby itself."""
    return field.as_widget(attrs={"class": f"control {extra}".strip()})
