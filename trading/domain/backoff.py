"""How long to wait before the next attempt. Pure: the caller brings the chance."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double from `first_s` to `most_s` wire seconds, each spread over its upper half."""

    first_s: float = 0.25
    most_s: float = 30.0

    def wait_s(self, failures: int, chance: float) -> float:
        """Give the wait after `failures` failures in a row (1 is the first); `chance` is uniform in [0, 1)."""
        whole = min(self.most_s, self.first_s * 2.0 ** min(failures - 1, 30))
        return whole * (0.5 + chance / 2)
