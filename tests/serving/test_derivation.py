"""A client tells the state of a round; what follows from it is computed by the window's own definition."""

import numpy as np
import pytest
import tiny_bundle as tiny
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st
from tiny_state import FEATURES, SPEC, WEIGHTS, state

from esports_assets.windows.contrasts import CONTRASTS, add_contrasts, add_contrasts_to_row
from esports_assets.windows.registry import DERIVED, complete

BASE_NAMES = tuple(name for name in SPEC.feature_names if name not in DERIVED[SPEC.name])
ROUTE = f"/api/v1/predict/{tiny.TASK}"


def test_what_follows_from_the_state_is_computed(state_client: TestClient) -> None:
    told = state()
    full = complete(SPEC.name, told)
    score = sum(w * full[f.name] for w, f in zip(WEIGHTS, FEATURES, strict=True) if w)
    body = state_client.post(ROUTE, json={"features": told}).json()
    assert body["probabilities"]["ct"] == pytest.approx(1 / (1 + np.exp(-score)), abs=1e-5)
    given = {name: None if np.isnan(value) else value for name, value in full.items()}
    assert state_client.post(ROUTE, json={"features": given}).json()["probabilities"] == pytest.approx(
        body["probabilities"]
    )


def test_a_derived_feature_that_is_given_is_taken_and_the_rest_is_computed(state_client: TestClient) -> None:
    plain = state_client.post(ROUTE, json={"features": state()}).json()["probabilities"]["ct"]
    told = state_client.post(ROUTE, json={"features": state(no_t_alive=1.0)}).json()["probabilities"]["ct"]
    logit = np.log(told / (1 - told)) - np.log(plain / (1 - plain))
    assert logit == pytest.approx(0.01, abs=1e-4)


def test_rows_of_a_batch_derive_each_their_own(state_client: TestClient) -> None:
    rows = [state(t_alive=i, t_hp=40.0 * i, t_effective_hp=40.0 * i) for i in range(5)] + [state(no_t_alive=1.0)]
    batch = state_client.post(f"{ROUTE}/batch", json={"rows": rows}).json()["predictions"]
    single = [state_client.post(ROUTE, json={"features": row}).json() for row in rows]
    assert [p["probabilities"]["ct"] for p in batch] == pytest.approx([p["probabilities"]["ct"] for p in single])


def test_models_and_examples_tell_what_may_be_left_out(state_client: TestClient) -> None:
    model = state_client.get("/models").json()["tasks"][0]["models"][0]
    assert set(model["derived"]) == DERIVED[SPEC.name]
    operation = state_client.get("/openapi.json").json()["paths"]["/api/v1/predict/{task}"]["post"]
    example = operation["requestBody"]["content"]["application/json"]["example"]
    assert not set(example["features"]) & DERIVED[SPEC.name]
    assert state_client.post(ROUTE, json=example).status_code == 200
    missing = state_client.post(ROUTE, json={"features": {}}).json()["error"]["message"]
    assert missing == "Feature ct_alive is missing and has no default."


_NUMBER = st.one_of(
    st.just(np.nan),
    st.integers(-2, 6).map(float),
    st.floats(-5000, 5000, allow_nan=False),
    st.sampled_from([-0.3, -30.0, -40.0, -1000.0, 1e308, -1e308]),
)


@trials(max_examples=200, deadline=None)
@given(st.lists(_NUMBER, min_size=len(BASE_NAMES), max_size=len(BASE_NAMES)))
def test_one_row_of_floats_gives_what_columns_give(values: list[float]) -> None:
    row = dict(zip(BASE_NAMES, values, strict=True))
    with np.errstate(all="ignore"):
        columns = add_contrasts({name: np.array([value]) for name, value in row.items()})
    expected = {name: float(column[0]) for name, column in columns.items()}
    assert add_contrasts_to_row(row) == pytest.approx(expected, rel=1e-12, abs=1e-12, nan_ok=True)


def test_the_rest_of_a_row_is_kept_and_the_order_is_that_of_the_window() -> None:
    row = dict.fromkeys(BASE_NAMES, 1.0)
    computed = add_contrasts_to_row(row)
    assert tuple(computed) == (*BASE_NAMES, *(feature.name for feature, _ in CONTRASTS))
    assert {name: computed[name] for name in BASE_NAMES} == row
    assert computed["log_alive"] == 0.0
    assert computed["pair_gap"] == 0.001
    assert computed["post_ct_near_bomb"] == 1.0
    assert computed["pre_t_on_site"] == 0.0
    assert computed["alive_share"] == 0.5
