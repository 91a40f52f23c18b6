"""Every error of the product, drawn as one tree: a class for each thing the caller does next.

TradingError                  has a stable `.code` for screens, API and audit
├─ ConfigurationError         stop the process; found at boot
├─ RiskDenied                 tell the user; record the denial
├─ StoreUnavailable           no entries; exits only by the journal; try again
├─ JournalUnavailable         the exit journal took nothing: send nothing, call a person, try again
├─ ExitAlreadyLive            another exit may still fill: wait for it or cancel it first
├─ IllegalTransition          a programming error or a second writer; alarm
└─ BrokerError
   ├─ BrokerAuthError         pause the account; ask for a login
   ├─ BrokerRejected          final by a row of the outcome table; show the broker's words
   │  └─ BrokerForbids        final, and so will be every order from this address: no entries until a person looked
   ├─ BrokerUnavailable       reads and cancels only: retry with back-off
   │  └─ ReadSuspect          a read that lost what an earlier one had: what it lacks proves nothing
   └─ OrderOutcomeUnknown     sent, answer lost: never resend, look the order up by its tag
"""


class TradingError(Exception):
    """The root. `code` is a stable word that screens and tests may rely on."""

    code = "TRADING_ERROR"


class ConfigurationError(TradingError):
    """The installation is wrong; the process must not go on."""

    code = "CONFIGURATION"


class RiskDenied(TradingError):
    """A rule of the house or of the client refused the order before it was sent."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class StoreUnavailable(TradingError):
    """The database could not be reached or did not answer in time. What was asked may or may not be committed."""

    code = "STORE_UNAVAILABLE"


class JournalUnavailable(TradingError):
    """The exit journal could not be written to the disk, or this process may not write it."""

    code = "JOURNAL_UNAVAILABLE"


class ExitAlreadyLive(TradingError):
    """A position may have one live exit; another one of this account and instrument may still fill."""

    code = "EXIT_ALREADY_LIVE"


class IllegalTransition(TradingError):
    """A state was asked for that cannot follow the present one."""

    code = "ILLEGAL_TRANSITION"


class BrokerError(TradingError):
    """Whatever came from a broker. `error_type` and `status` are the broker's own words.

    `is_unreadable`: it answered that all is well, and what it said could not be understood. A person has to know.
    """

    code = "BROKER_ERROR"

    def __init__(
        self, message: str, *, error_type: str = "", status: int | None = None, is_unreadable: bool = False
    ) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.status = status
        self.is_unreadable = is_unreadable


class BrokerAuthError(BrokerError):
    """The session is dead or was never made: a person must sign in at the broker."""

    code = "BROKER_AUTH"


class BrokerRejected(BrokerError):
    """The broker refused and did not take the order. Final."""

    code = "BROKER_REJECTED"


class BrokerForbids(BrokerRejected):
    """No order of this account is taken from here: the address is not registered, or the app lacks the right."""

    code = "BROKER_FORBIDS"


class BrokerUnavailable(BrokerError):
    """A read or a cancel had no usable answer. It is safe to ask again later."""

    code = "BROKER_UNAVAILABLE"


class ReadSuspect(BrokerUnavailable):
    """A read lacks rows that the broker is known to have. What it shows was taken in; what it lacks proves nothing."""

    code = "READ_SUSPECT"


class OrderOutcomeUnknown(BrokerError):
    """An order may or may not have been taken. Look its tag up; never send it again blindly."""

    code = "OUTCOME_UNKNOWN"
