"""A reading becomes part of the lake, each match once: the same in a directory and on S3."""

from datetime import date, timedelta

import pytest
from tiny_match import DAY, tiny_match

from esports_assets.adapters.base import Reading, Refusal, SourceFile
from esports_assets.canonical.match import CanonicalMatch
from esports_assets.canonical.vocabulary import Title
from esports_assets.storage.claims import Arrival, Claim
from esports_assets.storage.lake import Lake, RawFile
from esports_assets.storage.landed import IngestedFile
from esports_assets.storage.landing import holds, land

READER = ("test", "1")
ALONE = Arrival()


def _match(day: date = DAY, game: int = 1) -> CanonicalMatch:
    return tiny_match(f"test:{day}.a-b:{game}", day=day)


def _land(
    lake: Lake, name: str, *matches: CanonicalMatch, refused: int = 0, how: Arrival | None = ALONE
) -> IngestedFile:
    file = SourceFile(name, name.encode())
    raw = RawFile(Title.CS2, matches[0].header.day, file.sha256[:12], name)
    refusals = tuple(Refusal(name, f"line {n}", "is wrong") for n in range(refused))
    return land(lake, name, file, Reading(matches, refusals), raw, READER, how)


def _stands(lake: Lake, file: IngestedFile, how: Arrival | None = None) -> bool:
    raw = RawFile.of_key(file.raw)
    receipt = lake.receipt(raw.sha12, raw.name)
    assert receipt is not None
    return holds(lake, receipt, READER, how)


def test_a_copy_is_told_leaves_no_bytes_and_its_receipt_holds(store_url: str) -> None:
    lake = Lake(store_url)
    first = _land(lake, "first.x", _match())
    before = [key for key in lake.store.list() if not key.startswith("receipts/")]
    copy = _land(lake, "second.x", _match(DAY + timedelta(1)))
    assert [str(duplicate) for duplicate in copy.duplicates] == ["second.x holds the same match as first.x"]
    assert (copy.matches, copy.duplicates[0].match) == ((), first.matches[0])
    assert [key for key in lake.store.list() if not key.startswith("receipts/")] == before
    assert (_stands(lake, first), _stands(lake, copy)) == (True, True)


def test_what_takes_a_place_leaves_nothing_of_the_other_but_a_receipt(store_url: str) -> None:
    lake = Lake(store_url)
    undated = _land(lake, "undated.x", _match(date(1970, 1, 1)))
    dated = _land(lake, "dated.x", _match())
    assert dated.displaced == ((undated.raw, dated.matches[0]),)
    assert [record.header for record in lake.matches(Title.CS2)] == list(dated.matches)
    assert lake.raw_days(Title.CS2) == [DAY]
    assert not [key for key in lake.store.list() if "1970" in key]
    assert _stands(lake, undated)


def test_a_displaced_file_stays_for_its_other_match_and_for_its_refusals(store_url: str) -> None:
    lake = Lake(store_url)
    epoch = date(1970, 1, 1)
    two = _land(lake, "two.x", _match(epoch), _match(epoch, game=2))
    refused = _land(lake, "refused.x", _match(epoch, game=3), refused=1)
    _land(lake, "dated.x", _match(), _match(game=3))
    assert {record.header.match_id for record in lake.matches(Title.CS2, epoch)} == {"test:1970-01-01.a-b:2"}
    assert {raw.name for raw in lake.raw_files(Title.CS2, epoch)} == {"two.x", "refused.x"}
    assert [record.raw for record in lake.failures(Title.CS2)] == [refused.raw]
    assert (_stands(lake, two), _stands(lake, refused)) == (True, True)


def test_reading_the_lake_again_takes_no_match_from_a_file_that_is_there(store_url: str) -> None:
    lake = Lake(store_url)
    held = _land(lake, "held.x", _match(date(1970, 1, 1)))
    copy = _land(lake, "better.x", _match(), refused=1, how=None)
    assert (copy.matches, copy.displaced) == ((), ())
    lake.store.delete(held.raw)
    assert not _stands(lake, copy)
    again = _land(lake, "better.x", _match(), refused=1, how=None)
    assert [record.header for record in lake.matches(Title.CS2)] == list(again.matches) != []


def test_a_match_that_a_file_does_not_hold_any_more_goes(store_url: str) -> None:
    lake = Lake(store_url)
    _land(lake, "a.x", _match(), _match(game=2))
    assert [header.match_id for header in _land(lake, "a.x", _match(game=2)).matches] == ["test:2026-05-17.a-b:2"]
    assert len(lake.matches(Title.CS2)) == 1


def _claim(name: str, *, quarantined: bool = False, undated: bool = False, rounds: int = 20) -> Claim:
    return Claim(f"0__{name}", name, quarantined, undated, rounds)


@pytest.mark.parametrize(
    ("new", "held", "how", "expected"),
    [
        (_claim("a"), _claim("b"), Arrival(), False),
        (_claim("a"), _claim("b"), Arrival(beside={"0__b"}), False),
        (_claim("a"), _claim("b"), Arrival(beside={"0__b"}, fresh={"0__b"}), True),
        (_claim("b"), _claim("a"), Arrival(beside={"0__a"}, fresh={"0__a"}), False),
        (_claim("bb"), _claim("a"), Arrival(beside={"0__a"}, fresh={"0__a"}), False),
        (_claim("a"), _claim("a"), Arrival(), True),
        (_claim("a", quarantined=True), _claim("a"), Arrival(), True),
        (_claim("a"), _claim("a"), Arrival(beside={"0__a"}), False),
        (_claim("b"), _claim("a", quarantined=True), Arrival(), True),
        (_claim("b", undated=True), _claim("a", quarantined=True), Arrival(), True),
        (_claim("b"), _claim("a", undated=True), Arrival(), True),
        (_claim("a", undated=True), _claim("b"), Arrival(), False),
        (_claim("b", rounds=21), _claim("a"), Arrival(), True),
        (_claim("a", rounds=19), _claim("b"), Arrival(fresh={"0__b"}), False),
    ],
)
def test_which_of_two_tellings_stays(new: Claim, held: Claim, how: Arrival, expected: bool) -> None:
    assert new.takes_over(held, how) is expected
