"""Where the high and low of a ladder come from. The log and the pages say it in these words."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trading.domain.ladder_config import RangeSource
from trading.domain.money import format_scaled, to_scaled


@dataclass(frozen=True, slots=True)
class ReferenceRange:
    """High and low in rupees (multiples of 0.0001), and the span of trading that they are of.

    `begins` and `ends` are the session's date for a previous day, the window's times (HH:MM:SS) for an opening
    range, and empty for a range set by hand. `told_by` says who measured it, e.g. `kite:historical` or `ticks`.
    """

    high: Decimal
    low: Decimal
    source: RangeSource
    begins: str = ""
    ends: str = ""
    told_by: str = ""

    def as_dict(self) -> dict[str, str]:
        """Give the JSON form of the event log; prices are strings."""
        return {
            "source": self.source.value,
            "from": self.begins,
            "to": self.ends,
            "high": format_scaled(to_scaled(self.high)),
            "low": format_scaled(to_scaled(self.low)),
            "told_by": self.told_by,
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> "ReferenceRange":
        """Read `as_dict` back. Raises KeyError, ValueError or ArithmeticError for anything else."""
        return cls(
            high=Decimal(kept["high"]),
            low=Decimal(kept["low"]),
            source=RangeSource(kept["source"]),
            begins=str(kept["from"]),
            ends=str(kept["to"]),
            told_by=str(kept["told_by"]),
        )
