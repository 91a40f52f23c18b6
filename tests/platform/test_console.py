"""One log: a name in front of each line, in a file too, and never a brake."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from trading.stack.console import KEPT_LINES, Console


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)
    os.close(writer)


def test_every_line_has_its_name_in_front_and_its_own_colour(tmp_path: Path, pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    console = Console(tmp_path / "log" / "stack.log", is_coloured=True, descriptor=writer)

    console.line("web", "one")
    console.line("beat", "two")
    console.close()

    web, beat = os.read(reader, 10_000).decode().splitlines()
    assert web == "\x1b[36mweb       |\x1b[0m one"
    assert beat == "\x1b[33mbeat      |\x1b[0m two"


def test_the_file_has_the_lines_without_colour_but_not_what_was_said_to_the_person(
    tmp_path: Path, pipe: tuple[int, int]
) -> None:
    path = tmp_path / "log" / "stack.log"
    console = Console(path, is_coloured=True, descriptor=pipe[1])

    console.line("web", "one")
    console.say("password demo-secret")
    console.close()

    assert path.read_text() == "web       | one\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_pipe_that_nobody_reads_does_not_stop_the_supervisor(tmp_path: Path, pipe: tuple[int, int]) -> None:
    path = tmp_path / "stack.log"
    console = Console(path, is_coloured=False, descriptor=pipe[1])

    for number in range(KEPT_LINES + 2_000):
        console.line("web", f"{number:080d}")

    assert len(path.read_text().splitlines()) == KEPT_LINES + 2_000
