"""What lets a test disturb an installation is refused in production."""

from typing import Any

import pytest

from trading.checks import OF_TESTS, nothing_of_the_tests


@pytest.mark.parametrize("name", OF_TESTS)
@pytest.mark.parametrize(("is_production", "found"), [(True, ["trading.E010"]), (False, [])])
def test_production_refuses_a_tests_variable(
    settings: Any, monkeypatch: pytest.MonkeyPatch, name: str, is_production: bool, found: list[str]
) -> None:
    settings.PRODUCTION = is_production
    assert nothing_of_the_tests(None) == []

    monkeypatch.setenv(name, "/somewhere")

    assert [one.id for one in nothing_of_the_tests(None)] == found
