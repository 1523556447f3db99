"""The National Supported Work experiment: its effect from observed controls, and the placebo that doubts it.

The experiment's own effect on earnings of 1978 is 1,794 (LaLonde 1986; Dehejia and Wahba 1999).
"""

from pathlib import Path

import pyarrow as pa
import pytest

from esports_assets.analytics.causal import Plan, causal_effect
from esports_assets.analytics.estimators import Estimand
from esports_assets.analytics.study import Columns, Study, study_of

EXPERIMENT = 1794
COVARIATES = ("age", "education", "black", "hispanic", "married", "nodegree", "re74", "re75")

pytestmark = pytest.mark.realdata


def observed(real_data: Path, controls: str, placebo: str | None) -> Study:
    """The treated of the experiment and controls of a survey."""
    import pandas as pd

    folder = real_data / "causal" / "lalonde"
    experiment = pd.read_stata(folder / "nsw_dw.dta")
    rows = pd.concat([experiment[experiment.treat == 1], pd.read_stata(folder / f"{controls}_controls.dta")])
    columns = Columns("treat", "re78", COVARIATES, None, placebo)
    return study_of(pa.Table.from_pandas(rows, preserve_index=False), columns)


def test_controls_of_cps_give_the_effect_of_the_experiment_and_fail_the_placebo(real_data: Path) -> None:
    found = causal_effect(observed(real_data, "cps", "re75"), Plan(estimand=Estimand.ATT, repetitions=1))
    assert found.n == 16177
    assert found.diagnostics["other_estimators"]["naive"]["estimate"] == pytest.approx(-8498, abs=1)
    assert abs(found.estimate - EXPERIMENT) < min(found.se, 750)
    assert found.diagnostics["placebo_outcome"]["interval"][1] < 0
    assert found.verdict in ("fragile", "refuted")


def test_controls_of_psid_hardly_overlap(real_data: Path) -> None:
    found = causal_effect(observed(real_data, "psid", None), Plan(estimand=Estimand.ATT))
    assert found.verdict in ("fragile", "not_identifiable")
    assert any("Overlap is poor" in reason for reason in found.reasons)
