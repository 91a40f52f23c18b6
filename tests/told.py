"""Lines that a test has for the end of the run, in whichever of the suite's processes it ran."""

from collections.abc import Callable

import pytest

TOLD = "told"
Tell = Callable[[str], None]
_lines: list[str] = []


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Tell:
    """Give what takes a line for the end of the run."""
    return lambda line: request.node.user_properties.append((TOLD, line))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Take over the lines of a test that is over."""
    if report.when == "teardown":
        _lines.extend(str(value) for name, value in report.user_properties if name == TOLD)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print them."""
    for line in _lines:
        terminalreporter.write_line(line)
