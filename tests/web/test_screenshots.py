"""`make screenshots` knows pages that exist, and leaves out none of the frame's."""

import pytest
from django.urls import Resolver404, resolve

from scripts import screenshots
from trading.web.context import CLIENT_PAGES, OPERATOR_PAGES

ALL = {
    **screenshots.VISITOR_PAGES,
    **screenshots.CLIENT_PAGES,
    **screenshots.OPERATOR_PAGES,
    **screenshots.EVENING_PAGES,
}


def path_of(place: str) -> str:
    return (place.split(":")[1] if place.startswith("first:") else place).partition("?")[0]


@pytest.mark.parametrize("place", ALL.values(), ids=ALL.keys())
def test_every_picture_is_of_a_page_that_exists(place: str) -> None:
    try:
        resolve(path_of(place))
    except Resolver404:
        pytest.fail(f"{place} is no page")


def test_every_page_of_the_navigation_has_its_picture() -> None:
    drawn = {resolve(path_of(place)).url_name for place in ALL.values()}

    assert {page[1] for page in (*CLIENT_PAGES, *OPERATOR_PAGES)} <= drawn
