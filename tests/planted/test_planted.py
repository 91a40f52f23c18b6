"""The suite tests itself: every planted defect is caught by each test that its patch names."""

from collections.abc import Iterator

import pytest

from tests.evidence.planted import Greenhouse, Plant, load_plants
from tests.told import Tell

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def greenhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Greenhouse]:
    """Give a copy of the project."""
    with Greenhouse(tmp_path_factory.mktemp("planted")) as greenhouse:
        yield greenhouse


@pytest.mark.parametrize("plant", load_plants(), ids=lambda plant: plant.patch.stem)
def test_a_planted_defect_is_caught(plant: Plant, greenhouse: Greenhouse, tell: Tell) -> None:
    caught_by = greenhouse.caught_by(plant)

    tell(f"{plant.id}  {'caught' if caught_by else 'MISSED'}  {plant.what}")
    assert caught_by == list(plant.caught_by)
