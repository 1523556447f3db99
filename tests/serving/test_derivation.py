"""A client tells the state of a round; what follows from it is computed by the window's own definition."""

from collections.abc import Iterator

import numpy as np
import pytest
import tiny_bundle as tiny
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st

from esports_assets.models.bundle import Feature, write_bundle
from esports_assets.promotion import mirror
from esports_assets.storage.objects import ObjectStore
from esports_assets.windows.contrasts import CONTRASTS, add_contrasts, add_contrasts_to_row
from esports_assets.windows.registry import DERIVED, complete, window_spec
from serving.app import create_app
from serving.settings import Settings

SPEC = window_spec("cs2/round_state")
FEATURES = tuple(Feature(f.name, f.unit, f.doc, f.minimum, f.maximum, f.nullable) for f in SPEC.features)
WEIGHTS = tuple(np.where([f.name in DERIVED[SPEC.name] for f in FEATURES], 0.01, 0.0))
"""Only derived features count, so that a wrong one is seen."""
BASE_NAMES = tuple(name for name in SPEC.feature_names if name not in DERIVED[SPEC.name])
ROUTE = f"/api/v1/predict/{tiny.TASK}"


def _state(**changes: float) -> dict[str, float]:
    base = {f.name: f.minimum or 0.0 for f in FEATURES if f.name not in DERIVED[SPEC.name] and not f.nullable}
    return base | {"ct_alive": 4.0, "t_alive": 2.0, "ct_hp": 320.0, "t_hp": 150.0, "t_s_clock": 50.0} | changes


@pytest.fixture
def client(settings: Settings, store: ObjectStore) -> Iterator[TestClient]:
    changes = {"features": FEATURES, "window_fingerprint": SPEC.fingerprint}
    write_bundle(store, tiny.contract(**changes), tiny.graph(weights=WEIGHTS))
    mirror.write_alias(store, tiny.REGISTERED, "Production", "1")
    mirror.write_champion(store, tiny.TASK, tiny.REGISTERED)
    with TestClient(create_app(settings)) as ready:
        yield ready


def test_what_follows_from_the_state_is_computed(client: TestClient) -> None:
    state = _state()
    full = complete(SPEC.name, state)
    score = sum(w * full[f.name] for w, f in zip(WEIGHTS, FEATURES, strict=True) if w)
    body = client.post(ROUTE, json={"features": state}).json()
    assert body["probabilities"]["ct"] == pytest.approx(1 / (1 + np.exp(-score)), abs=1e-5)
    given = {name: None if np.isnan(value) else value for name, value in full.items()}
    assert client.post(ROUTE, json={"features": given}).json()["probabilities"] == pytest.approx(body["probabilities"])


def test_a_derived_feature_that_is_given_is_taken_and_the_rest_is_computed(client: TestClient) -> None:
    plain = client.post(ROUTE, json={"features": _state()}).json()["probabilities"]["ct"]
    told = client.post(ROUTE, json={"features": _state(no_t_alive=1.0)}).json()["probabilities"]["ct"]
    logit = np.log(told / (1 - told)) - np.log(plain / (1 - plain))
    assert logit == pytest.approx(0.01, abs=1e-4)


def test_rows_of_a_batch_derive_each_their_own(client: TestClient) -> None:
    rows = [_state(t_alive=float(i)) for i in range(5)] + [_state(no_t_alive=1.0)]
    batch = client.post(f"{ROUTE}/batch", json={"rows": rows}).json()["predictions"]
    single = [client.post(ROUTE, json={"features": row}).json() for row in rows]
    assert [p["probabilities"]["ct"] for p in batch] == pytest.approx([p["probabilities"]["ct"] for p in single])


def test_models_and_examples_tell_what_may_be_left_out(client: TestClient) -> None:
    model = client.get("/models").json()["tasks"][0]["models"][0]
    assert set(model["derived"]) == DERIVED[SPEC.name]
    operation = client.get("/openapi.json").json()["paths"]["/api/v1/predict/{task}"]["post"]
    example = operation["requestBody"]["content"]["application/json"]["example"]
    assert not set(example["features"]) & DERIVED[SPEC.name]
    assert client.post(ROUTE, json=example).status_code == 200
    missing = client.post(ROUTE, json={"features": {}}).json()["error"]["message"]
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
