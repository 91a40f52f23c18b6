"""A broker's instrument dump, read."""

from dataclasses import dataclass

from trading.domain.instruments import Instrument


class DumpUnreadable(ValueError):
    """The file as a whole is not a dump: its header, its encoding or its end is wrong."""


@dataclass(frozen=True, slots=True)
class ParsedDump:
    """The instruments of one file, in its order. `problems` names the rows that were left out, and why."""

    instruments: tuple[Instrument, ...]
    problems: tuple[str, ...] = ()

    @property
    def row_count(self) -> int:
        """Count the rows of the file, the unreadable ones included."""
        return len(self.instruments) + len(self.problems)
