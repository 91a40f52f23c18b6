"""What a bad answer means: the outcome tables."""

import pytest

from trading.brokers.kite.errors import KiteAnswer, cancelling_error, changing_error, placing_error, reading_error
from trading.domain.errors import (
    BrokerAuthError,
    BrokerError,
    BrokerForbids,
    BrokerRejected,
    BrokerUnavailable,
    OrderOutcomeUnknown,
)

PROTECTION = "Market orders without market protection are not allowed via API. Please set market protection."
FREEZE = (
    "The order quantity 1000 (40 lots) is higher than the maximum quantity of 900 (36 lots) allowed by the exchanges."
)
CIRCUIT = (
    "Your order price is lower than the current lower circuit limit of 1350.00. Place an order within the daily range."
)
CLOSED = "MIS (intraday) are blocked as the markets are not open for trading today. Try placing an AMO order."


@pytest.mark.proves("F13", "F14")
@pytest.mark.parametrize(
    ("status", "error_type", "text"),
    [
        (400, "InputException", PROTECTION),
        (400, "InputException", FREEZE),
        (400, "InputException", CIRCUIT),
        (400, "InputException", CLOSED),
        (400, "InputException", "Invalid `tradingsymbol`."),
        (400, "InputException", "Quantity should be in multiples of the lot size 75."),
        (400, "MarginException", "Insufficient funds."),
        (400, "HoldingException", "Insufficient stock holding."),
        (403, "PermissionException", "IP (1.2.3.4) is not allowed to place orders for this app."),
        (429, "NetworkException", "Too many requests"),
        (429, "NetworkException", "Maximum allowed order requests exceeded"),
    ],
)
def test_an_order_is_refused_for_good_only_by_a_row_of_the_table(status: int, error_type: str, text: str) -> None:
    error = placing_error(KiteAnswer(text, status=status, error_type=error_type), "TAG1")

    assert isinstance(error, BrokerRejected)
    assert isinstance(error, BrokerForbids) is (error_type == "PermissionException")
    assert (error.status, error.error_type) == (status, error_type)
    assert text in str(error)
    assert "TAG1" in str(error)


@pytest.mark.proves("F13", "F14", "F33", "I3")
@pytest.mark.parametrize(
    ("status", "error_type", "text"),
    [
        (
            400,
            "InputException",
            "Order request timed out. Please check the order book and confirm before placing again.",
        ),
        (400, "MarginException", "Margin check timed out"),
        (400, "InputException", "Something nobody has seen before"),
        (400, "OrderException", "Order could not be placed"),
        (400, "GeneralException", "Insufficient funds."),
        (429, "GeneralException", "Too many requests"),
        (500, "GeneralException", "Something unexpected happened."),
        (502, "DataException", "Unexpected OMS response"),
        (503, "NetworkException", "Too many requests"),
        (504, "NetworkException", "Gateway timed out"),
        (502, "", "HTTP 502 with content type text/html"),
        (200, "", "HTTP 200 without data"),
        (None, "", "no answer (ReadTimeout)"),
    ],
)
def test_everything_else_about_an_order_is_unknown(status: int | None, error_type: str, text: str) -> None:
    assert type(placing_error(KiteAnswer(text, status=status, error_type=error_type), "TAG1")) is OrderOutcomeUnknown


@pytest.mark.proves("F31")
@pytest.mark.parametrize("error_type", ["TokenException", "TwoFAException"])
def test_a_dead_session_asks_for_a_login_whatever_was_called(error_type: str) -> None:
    answer = KiteAnswer("Incorrect `api_key` or `access_token`.", status=403, error_type=error_type)

    errors = [placing_error(answer, "TAG1"), cancelling_error(answer, "1"), reading_error(answer, "orders")]

    assert [type(error) for error in errors] == [BrokerAuthError] * 3


@pytest.mark.parametrize(
    ("status", "error_type", "text", "expected"),
    [
        (400, "OrderException", "Order cannot be cancelled as it is already COMPLETE.", BrokerRejected),
        (404, "OrderException", "Couldn't find that `order_id`.", BrokerRejected),
        (400, "OrderException", "Order cannot be cancelled as it is being processed. Try later.", BrokerUnavailable),
        (400, "InputException", "Order cannot be cancelled as it is being processed. Try later.", BrokerUnavailable),
        (429, "NetworkException", "Too many requests", BrokerUnavailable),
        (500, "GeneralException", "Something unexpected happened.", BrokerUnavailable),
        (None, "", "no answer (ConnectionError)", BrokerUnavailable),
    ],
)
def test_a_cancel_may_be_tried_again_unless_the_order_is_final(
    status: int | None, error_type: str, text: str, expected: type[BrokerError]
) -> None:
    assert type(cancelling_error(KiteAnswer(text, status=status, error_type=error_type), "1")) is expected


@pytest.mark.parametrize(
    ("status", "error_type", "expected"),
    [
        (400, "InputException", BrokerRejected),
        (403, "PermissionException", BrokerForbids),
        (404, "GeneralException", BrokerRejected),
        (429, "NetworkException", BrokerUnavailable),
        (500, "GeneralException", BrokerUnavailable),
        (502, "", BrokerUnavailable),
        (None, "", BrokerUnavailable),
    ],
)
def test_a_read_is_tried_again_unless_the_question_was_wrong(
    status: int | None, error_type: str, expected: type[BrokerError]
) -> None:
    assert type(reading_error(KiteAnswer("words", status=status, error_type=error_type), "orders")) is expected


@pytest.mark.parametrize(
    ("status", "error_type", "text"),
    [
        (400, "InputException", "Order cannot be modified as it is being processed. Try later."),
        (400, "OrderException", "Maximum allowed order modifications exceeded."),
        (400, "InputException", CIRCUIT),
        (400, "InputException", "Quantity should be more than the 60 already traded."),
        (404, "OrderException", "Couldn't find that `order_id`."),
        (429, "NetworkException", "Too many requests"),
    ],
)
def test_a_change_that_was_refused_for_certain_leaves_the_order_as_it_was(
    status: int, error_type: str, text: str
) -> None:
    assert type(changing_error(KiteAnswer(text, status=status, error_type=error_type), "7")) is BrokerRejected


@pytest.mark.parametrize(
    ("status", "error_type", "text"),
    [
        (400, "InputException", "Order modification timed out"),
        (400, "InputException", "Something nobody has seen before"),
        (502, "DataException", "Unexpected OMS response"),
        (None, "", "no answer within 4 s"),
    ],
)
def test_everything_else_about_a_change_is_unknown(status: int | None, error_type: str, text: str) -> None:
    answer = KiteAnswer(text, status=status, error_type=error_type)
    assert type(changing_error(answer, "7")) is OrderOutcomeUnknown
