"""A kill directory in memory."""

from trading.ports import Clock, KillFile


class MemoryKillFiles:
    """Files by name; `error` makes every look fail, until it is None again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._files: dict[str, KillFile] = {}
        self._count = 0
        self.error: OSError | None = None

    def touch(self, name: str, text: str = "") -> None:
        """Press, as `touch` does."""
        self._count += 1
        self._files[name] = KillFile(name, str(self._count), self._clock.wall(), text)

    def remove(self, name: str) -> None:
        """Take a file away."""
        del self._files[name]

    def prepare(self) -> None:
        """Raise the error that is set."""
        if self.error is not None:
            raise self.error

    def names(self) -> tuple[str, ...]:
        """Give the names of all files."""
        self.prepare()
        return tuple(sorted(self._files))

    def read(self, name: str) -> KillFile | None:
        """Give one file, None when it is gone."""
        self.prepare()
        return self._files.get(name)
