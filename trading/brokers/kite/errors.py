"""What a broker's bad answer means for the caller, as data.

An error does not mean "not placed": only a row of `PLACING` makes an order's refusal final, everything
else is unknown (reports 41029, 9602, 35732 of the broker's forum: orders that were accepted behind a
timeout, a 5xx and even a 400).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from trading.domain.errors import (
    BrokerAuthError,
    BrokerError,
    BrokerForbids,
    BrokerRejected,
    BrokerUnavailable,
    OrderOutcomeUnknown,
)


class KiteAnswer(Exception):
    """A call that gave no data. `status` is None when nothing was heard, `error_type` empty when the body said none.

    `text` is the broker's message, or our words for what was wrong with the answer: never a body, an
    address or a header, which could carry a token. `is_unreadable`: a success that could not be understood.
    `never_left`: no connection came about, so that not a byte of the request was sent.
    """

    def __init__(
        self,
        text: str,
        *,
        status: int | None = None,
        error_type: str = "",
        is_unreadable: bool = False,
        never_left: bool = False,
    ) -> None:
        super().__init__(text)
        self.never_left = never_left
        self.text = text
        self.is_unreadable = is_unreadable
        self.status = status
        self.error_type = error_type


class Outcome(Enum):
    """What is known after a bad answer."""

    AUTH = BrokerAuthError
    REFUSED = BrokerRejected
    FORBIDDEN = BrokerForbids
    TRY_AGAIN = BrokerUnavailable
    UNKNOWN = OrderOutcomeUnknown


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: None and an empty text match anything; `text` is searched without regard to case."""

    status: int | None
    error_type: str | None
    text: str
    outcome: Outcome

    def matches(self, answer: KiteAnswer) -> bool:
        """Say whether this line is about that answer."""
        return (
            self.status in (None, answer.status)
            and self.error_type in (None, answer.error_type)
            and self.text in answer.text.lower()
        )


NO_SESSION = (
    Row(403, "TokenException", "", Outcome.AUTH),
    Row(403, "TwoFAException", "", Outcome.AUTH),
)

REFUSED_INPUT = (
    "without market protection",
    "invalid `",
    "missing or empty field",
    "quantity should be",
    "disclosed quantity",
    "higher than the maximum quantity",
    "tick size for this script",
    "circuit limit",
    "trigger price",
    "stoploss orders",
    "markets are not open",
    "is an index and cannot be traded",
    "autoslice",
    "maximum allowed order",
    "insufficient",
)
"""Texts of InputException 400 that come from checks before an order exists (protocol notes, section 4)."""

PLACING: Sequence[Row] = (
    # 400 "Order request timed out" was accepted 8 s later (forum 35732): before every row that trusts a 400.
    Row(None, None, "timed out", Outcome.UNKNOWN),
    *NO_SESSION,
    Row(403, "PermissionException", "", Outcome.FORBIDDEN),
    Row(400, "MarginException", "", Outcome.REFUSED),
    Row(400, "HoldingException", "", Outcome.REFUSED),
    # The rate limiter stands before the order system: its two texts mean that nothing was taken.
    Row(429, "NetworkException", "too many requests", Outcome.REFUSED),
    Row(429, "NetworkException", "maximum allowed order requests", Outcome.REFUSED),
    *(Row(400, "InputException", text, Outcome.REFUSED) for text in REFUSED_INPUT),
)
"""First match wins; no match is UNKNOWN."""

CHANGING: Sequence[Row] = (
    Row(None, None, "timed out", Outcome.UNKNOWN),
    *NO_SESSION,
    Row(403, "PermissionException", "", Outcome.FORBIDDEN),
    Row(404, "OrderException", "", Outcome.REFUSED),
    Row(400, "MarginException", "", Outcome.REFUSED),
    # said of an order on its way and of a final one alike, before anything is changed
    Row(400, None, "as it is being processed", Outcome.REFUSED),
    Row(400, None, "maximum allowed order modifications", Outcome.REFUSED),
    Row(429, "NetworkException", "too many requests", Outcome.REFUSED),
    Row(429, "NetworkException", "maximum allowed order requests", Outcome.REFUSED),
    *(Row(400, "InputException", text, Outcome.REFUSED) for text in REFUSED_INPUT),
)
"""First match wins; no match is UNKNOWN: the order may stand changed or not, its row in the book says."""

CANCELLING: Sequence[Row] = (
    Row(None, None, "timed out", Outcome.TRY_AGAIN),
    *NO_SESSION,
    Row(403, "PermissionException", "", Outcome.REFUSED),
    # said of an order on its way and of a final one alike, as InputException (logs of September 2026)
    Row(None, None, "as it is being processed", Outcome.TRY_AGAIN),
    Row(400, "OrderException", "", Outcome.REFUSED),
    Row(404, "OrderException", "", Outcome.REFUSED),
    Row(400, "InputException", "", Outcome.REFUSED),
)
"""First match wins; no match is TRY_AGAIN: a cancel may be sent again."""

READING: Sequence[Row] = (
    *NO_SESSION,
    Row(403, "PermissionException", "", Outcome.FORBIDDEN),
    Row(400, "InputException", "timed out", Outcome.TRY_AGAIN),
    Row(400, "InputException", "", Outcome.REFUSED),
    Row(404, None, "", Outcome.REFUSED),
    Row(410, None, "", Outcome.REFUSED),
)
"""First match wins; no match is TRY_AGAIN."""


def _judge(table: Sequence[Row], answer: KiteAnswer, otherwise: Outcome) -> Outcome:
    return next((row.outcome for row in table if row.matches(answer)), otherwise)


def _error(outcome: Outcome, answer: KiteAnswer, prefix: str) -> BrokerError:
    error: type[BrokerError] = outcome.value
    return error(
        f"{prefix}: {answer.text}",
        error_type=answer.error_type,
        status=answer.status,
        is_unreadable=answer.is_unreadable,
    )


def placing_error(answer: KiteAnswer, tag: str) -> BrokerError:
    """Give what to raise for an order that was not acknowledged. The tag is in the message, for the look-up."""
    outcome = Outcome.TRY_AGAIN if answer.never_left else _judge(PLACING, answer, Outcome.UNKNOWN)
    return _error(outcome, answer, f"order {tag}")


def changing_error(answer: KiteAnswer, order_id: str) -> BrokerError:
    """Give what to raise for a change that was not acknowledged."""
    return _error(_judge(CHANGING, answer, Outcome.UNKNOWN), answer, f"change of {order_id}")


def cancelling_error(answer: KiteAnswer, order_id: str) -> BrokerError:
    """Give what to raise for a cancel that was not acknowledged."""
    return _error(_judge(CANCELLING, answer, Outcome.TRY_AGAIN), answer, f"cancel of {order_id}")


def reading_error(answer: KiteAnswer, what: str) -> BrokerError:
    """Give what to raise for a read without data."""
    return _error(_judge(READING, answer, Outcome.TRY_AGAIN), answer, what)
