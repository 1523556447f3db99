"""What is learned of a map from its matches: nobody plays far outside what the others show."""

from esports_assets.stages.maps import BEYOND_U, Maps
from esports_assets.windows.sites import SiteBook

INSIDE = (-1000.0, 1000.0, -500.0, 500.0, 0.0, 100.0)


def _maps(**extents: tuple[float, float, float, float, float, float]) -> Maps:
    return Maps(SiteBook(), "1", {"de_a": extents})


def test_a_match_within_the_margin_is_inside() -> None:
    near = (-1000.0, 1000.0 + BEYOND_U, -500.0, 500.0, 0.0, 100.0)
    assert _maps(one=INSIDE, two=INSIDE, three=near).outside() == []


def test_a_match_beyond_the_margin_is_named_with_how_far() -> None:
    far = (-1000.0, 1000.0, -500.0, 500.0, -BEYOND_U - 50.0, 100.0)
    assert _maps(one=INSIDE, two=INSIDE, three=far).outside() == [
        "three: a position lies 1074 units outside de_a as 2 other matches show it"
    ]


def test_the_only_match_of_a_map_cannot_be_outside() -> None:
    assert _maps(one=(-1e4, 1e4, -1e4, 1e4, -1e4, 1e4)).outside() == []
