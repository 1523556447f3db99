"""Signs of people, and the calibration of the mixture on other people."""

import random

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esports_assets.games.rps.experts.calibration import Calibration, fit_calibration
from esports_assets.games.rps.experts.mixture import ExpertMixture
from esports_assets.games.rps.experts.pooled import PersonPredictor, PooledExperts, PooledModel, learn_pooled
from esports_assets.games.rps.experts.signs import LAGS, SIGNS, PersonSigns, unframed

AT = {name: index for index, name in enumerate(SIGNS)}
ROUNDS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=12)


def _signs(rounds: list[tuple[int, int]]) -> PersonSigns:
    signs = PersonSigns()
    for own, other in rounds:
        signs.update(own, other)
    return signs


def test_a_row_says_what_its_names_say() -> None:
    signs = _signs([(0, 1), (2, 2), (1, 0)])
    row = signs.row()
    assert len(row) == len(SIGNS) == len(AT)
    told = {name: row[at] for name, at in AT.items()}
    assert [told[f"person_-1_{move}"] for move in range(3)] == [1, 0, 0]
    assert [told[f"opponent_-1_{move}"] for move in range(3)] == [0, 1, 0]
    assert [told[f"person_-3_{move}"] for move in range(3)] == [0, 1, 0]
    assert [told[f"opponent_-3_{move}"] for move in range(3)] == [1, 0, 0]
    assert [told[f"person_-{LAGS}_{move}"] for move in range(3)] == [0, 0, 0]
    assert told["rounds_before"] == 3
    assert [told[f"from_own_0.9_{step}"] for step in range(3)] == pytest.approx([0, 1.9, 0])
    assert [told[f"from_other_0.9_{step}"] for step in range(3)] == pytest.approx([0, 1, 0.9])
    assert [told[f"outcome_0.98_{step}"] for step in range(3)] == pytest.approx([0.98, 0.98**2, 1])
    assert [np.exp(told[f"log_frequency_{move}"]) for move in range(3)] == pytest.approx([1 / 3] * 3)
    assert signs.last == 0


def test_the_mixture_in_a_row_is_the_mixture() -> None:
    chance, signs, mixture = random.Random(3), PersonSigns(), ExpertMixture()
    for _ in range(30):
        own, other = chance.randrange(3), chance.choice((0, 0, 2))
        signs.update(own, other)
        mixture.update(own, other)
    row = signs.row()
    assert np.exp([row[AT[f"log_mixture_{move}"]] for move in range(3)]) == pytest.approx(mixture.predict(), abs=1e-4)
    assert signs.predictions()["mixture"] == mixture.predict()


@given(ROUNDS, st.integers(1, 2))
@settings(max_examples=25, deadline=None)
def test_a_frame_turns_with_the_moves(rounds: list[tuple[int, int]], shift: int) -> None:
    """A row seen from a move is the plain row of the same game with all moves renamed."""
    renamed = [((own - shift) % 3, (other - shift) % 3) for own, other in rounds]
    assert _signs(rounds).row(frame=shift) == pytest.approx(_signs(renamed).row(), abs=1e-6)


def test_probabilities_turn_back() -> None:
    plain = np.array([[0.7, 0.2, 0.1], [0.5, 0.3, 0.2]])
    frames = np.array([1, 2])
    framed = np.array([[plain[n, (step + frame) % 3] for step in range(3)] for n, frame in enumerate(frames)])
    assert framed[0].tolist() == [0.2, 0.1, 0.7]
    assert unframed(framed, frames).tolist() == plain.tolist()


def _drawn(sharpness: float, doubt: float, rows: int = 6000) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities, and moves that came from them through the map."""
    rng = np.random.default_rng(1)
    told = rng.dirichlet((1.0, 1.0, 1.0), rows)
    true = Calibration(sharpness, doubt)(told)
    return told, (rng.random((rows, 1)) > true.cumsum(axis=1)).sum(axis=1).clip(max=2)


@pytest.mark.parametrize(("sharpness", "doubt"), [(1.0, 0.0), (0.5, 0.1), (2.0, 0.3)])
def test_the_map_behind_the_moves_is_found(sharpness: float, doubt: float) -> None:
    told, moves = _drawn(sharpness, doubt)
    found = fit_calibration(told, moves)
    assert found.sharpness == pytest.approx(sharpness, rel=0.15)
    assert found.doubt == pytest.approx(doubt, abs=0.06)


def test_a_map_keeps_distributions_and_their_order() -> None:
    told = np.random.default_rng(0).dirichlet((0.3, 0.3, 0.3), 50) + 1e-9
    mapped = Calibration(1.7, 0.2)(told)
    assert mapped.sum(axis=1) == pytest.approx(np.ones(50))
    assert mapped.min() >= 0.2 / 3
    assert (mapped.argmax(axis=1) == told.argmax(axis=1)).all()
    assert Calibration()(told / told.sum(axis=1, keepdims=True)) == pytest.approx(
        told / told.sum(axis=1, keepdims=True)
    )


def test_nothing_to_fit_on_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Three probabilities per move are needed, got \(0, 3\) for 0 moves"):
        fit_calibration(np.zeros((0, 3)), np.zeros(0, dtype=int))


def _games(count: int, rounds: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, frames and moves of people who beat the opponent's last move in three of four rounds, and else repeat their own."""
    chance = random.Random(seed)
    rows, frames, moves = [], [], []
    for _ in range(count):
        signs, before = PersonSigns(), 0
        for _ in range(rounds):
            move = (before + 1) % 3 if chance.random() < 0.75 else signs.last
            rows.append(signs.row(signs.last))
            frames.append(signs.last)
            moves.append(move)
            before = chance.randrange(3)
            signs.update(before, move)
    return np.array(rows), np.array(frames), np.array(moves)


@pytest.fixture(scope="module")
def learned() -> PooledModel:
    return learn_pooled(*_games(12, 40, seed=1))


def test_what_is_learned_from_people_is_known_of_another_from_the_second_round(learned: PooledModel) -> None:
    rows, frames, moves = _games(40, 4, seed=2)
    told = PooledExperts(learned)(rows, frames)
    early = np.arange(len(moves)) % 4 == 1
    assert told.sum(axis=1) == pytest.approx(np.ones(len(moves)))
    assert (told.argmax(axis=1) == moves)[early].mean() > 0.65


def test_one_person_is_predicted_as_their_rows_are(learned: PooledModel) -> None:
    chance, signs, person = random.Random(0), PersonSigns(), PersonPredictor(learned)
    for _ in range(15):
        row = np.array([signs.row(signs.last)])
        assert person.predict() == pytest.approx(PooledExperts(learned)(row, np.array([signs.last]))[0].tolist())
        own, other = chance.randrange(3), chance.randrange(3)
        signs.update(own, other)
        person.update(own, other)


def test_a_model_of_people_survives_being_written(learned: PooledModel) -> None:
    assert msgspec.json.decode(msgspec.json.encode(learned), type=PooledModel) == learned
    with pytest.raises(ValueError, match="other signs"):
        PooledModel(("a",), (0.0,), (1.0,), ((0.0,),) * 3, (0.0, 0.0, 0.0))


def test_people_who_always_do_the_same_teach_no_model() -> None:
    rows, frames, _ = _games(1, 10, seed=4)
    with pytest.raises(ValueError, match="stayed, gone one step on and one back"):
        learn_pooled(rows, frames, frames)
