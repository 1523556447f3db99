"""How often a supported effect's interval covers the truth, and bias and error beside simpler ways and a library.

    python benchmarks/causal.py [--runs 500] [--world linear] [--first 0] [--keep FILE] [--library-runs 100]

Every run draws a table from ``causal_worlds.py`` and asks ``analytics.causal`` for the effect on everybody as the command does.
Beside it: difference of means, linear regression, IPW with a logistic propensity, doubly robust by statsmodels
(``TreatmentEffect.aipw``), and in the first runs DoubleML's IRM with boosted trees where DoubleML is installed (it is not among
the project's dependencies). Runs are kept one a line in ``--keep`` and tables are made from all lines, so that long measurements
can be continued.

Belongs here: runs and tables. Does not belong here: the worlds.
Intervals of coverage are Clopper-Pearson intervals of 99 %.
"""

import argparse
import importlib.util
import json
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from causal_worlds import WORLDS, Drawn, World

ROOT = Path(__file__).resolve().parent.parent
VERDICTS = ("supported", "fragile", "refuted", "not_identifiable")
HAS_DOUBLEML = importlib.util.find_spec("doubleml") is not None


def one(world: World, number: int, *, library: bool) -> dict[str, Any]:
    """Everything about one run."""
    from esports_assets.analytics.causal import Plan, causal_effect
    from esports_assets.analytics.study import Study

    drawn = world.draw(np.random.default_rng([2026, number]))
    cluster = np.arange(len(drawn.treated)) if drawn.cluster is None else drawn.cluster
    names = tuple(f"x{i}" for i in range(drawn.x.shape[1]))
    clustered = drawn.cluster is not None
    started = time.perf_counter()
    effect = causal_effect(Study(drawn.treated, drawn.outcome, drawn.x, names, cluster, clustered), Plan(seed=number))
    others = effect.diagnostics["other_estimators"]
    return {
        "world": world.name,
        "run": number,
        "seconds": time.perf_counter() - started,
        "verdict": effect.verdict,
        "reasons": effect.reasons,
        "alike": effect.diagnostics["neighbours_residuals"]["correlation"],
        "estimates": {
            "this machine": [effect.estimate, *effect.interval],
            "difference of means": [others["naive"]["estimate"], *others["naive"]["interval"]],
            **beside(drawn, library=library),
        },
    }


def beside(drawn: Drawn, *, library: bool) -> dict[str, list[float]]:
    """Value and interval of the other ways."""
    import statsmodels.api as sm
    from statsmodels.treatment.treatment_effects import TreatmentEffect

    design = sm.add_constant(np.column_stack([drawn.treated, drawn.x]))
    robust = (
        {"cov_type": "HC1"}
        if drawn.cluster is None
        else {
            "cov_type": "cluster",
            "cov_kwds": {"groups": drawn.cluster},
        }
    )
    line = sm.OLS(drawn.outcome, design).fit(**robust)
    found = {"linear regression": [float(line.params[1]), *map(float, line.conf_int()[1])]}
    exog = sm.add_constant(drawn.x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            logit = sm.Logit(drawn.treated, exog).fit(disp=0)
            effects = TreatmentEffect(sm.OLS(drawn.outcome, exog), drawn.treated, results_select=logit)
            for name, result in (("IPW, logistic", effects.ipw()), ("statsmodels AIPW", effects.aipw())):
                found[name] = [float(result.effect[0]), *map(float, result.conf_int()[0])]
        except np.linalg.LinAlgError:
            found |= {name: [float("nan")] * 3 for name in ("IPW, logistic", "statsmodels AIPW")}
    return {**found, **(doubleml_irm(drawn) if library and HAS_DOUBLEML else {})}


def doubleml_irm(drawn: Drawn) -> dict[str, list[float]]:
    """DoubleML's interactive regression model with boosted trees, its own defaults otherwise."""
    import doubleml
    from xgboost import XGBClassifier, XGBRegressor

    settings: dict[str, Any] = {"n_estimators": 100, "max_depth": 3, "learning_rate": 0.1, "n_jobs": 1}
    clusters = {} if drawn.cluster is None else {"cluster_vars": drawn.cluster}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = doubleml.DoubleMLData.from_arrays(drawn.x, drawn.outcome, drawn.treated, **clusters)
        model = doubleml.DoubleMLIRM(data, XGBRegressor(**settings), XGBClassifier(**settings), n_folds=5)
        model.fit()
        lo, hi = model.confint().to_numpy()[0]
    return {"DoubleML IRM, boosted trees": [float(model.coef[0]), float(lo), float(hi)]}


def coverage(hits: np.ndarray) -> str:
    """Share of hits with its Clopper-Pearson interval of 99 %."""
    from scipy.stats import binomtest

    if not len(hits):
        return "-"
    interval = binomtest(int(hits.sum()), len(hits)).proportion_ci(0.99)
    return f"{hits.mean():.3f} [{interval.low:.3f}, {interval.high:.3f}]"


def table(world: World, runs: list[dict[str, Any]]) -> Iterator[str]:
    """The lines of one scenario."""
    verdicts = np.array([run["verdict"] for run in runs])
    shares = ", ".join(f"{name} {np.mean(verdicts == name):.3f}" for name in VERDICTS if (verdicts == name).any())
    seconds = np.mean([run["seconds"] for run in runs])
    yield f"\n{world.name}: {world.about}, {len(runs)} runs, truth {world.truth:g}, {seconds:.2f} s a run"
    yield f"  verdicts: {shares}"
    yield f"  {'way':30s} {'runs':>5s} {'bias':>8s} {'RMSE':>8s} {'width':>8s}  coverage of 95 % intervals [99 % Monte-Carlo]"
    for name in sorted({key for run in runs for key in run["estimates"]}, key=list(runs[0]["estimates"]).index):
        yield line(name, np.array([run["estimates"][name] for run in runs if name in run["estimates"]]), world.truth)
    supported = [run["estimates"]["this machine"] for run in runs if run["verdict"] == "supported"]
    if supported:
        yield line("this machine, supported", np.array(supported), world.truth)


def line(name: str, values: np.ndarray, truth: float) -> str:
    """One way: values, lower and upper bounds [n, 3]."""
    values = values[np.isfinite(values).all(axis=1)]
    error = values[:, 0] - truth
    hits = (values[:, 1] <= truth) & (truth <= values[:, 2])
    width = np.mean(values[:, 2] - values[:, 1])
    return f"  {name:30s} {len(values):5d} {error.mean():8.3f} {np.sqrt((error**2).mean()):8.3f} {width:8.3f}  {coverage(hits)}"


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--first", type=int, default=0, help="number of the first run")
    parser.add_argument("--world", action="append", choices=[world.name for world in WORLDS])
    parser.add_argument("--keep", type=Path, help="file of runs, one JSON a line, added to")
    parser.add_argument("--library-runs", type=int, default=100, help="runs in which DoubleML is asked as well")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    kept = [json.loads(text) for text in options.keep.open()] if options.keep and options.keep.exists() else []
    done = {(run["world"], run["run"]) for run in kept}
    chosen = [world for world in WORLDS if options.world is None or world.name in options.world]
    for number in range(options.first, options.first + options.runs):
        for world in chosen:
            if (world.name, number) in done:
                continue
            kept.append(one(world, number, library=number < options.library_runs))
            if options.keep:
                with options.keep.open("a") as file:
                    file.write(json.dumps(kept[-1]) + "\n")
    for world in chosen:
        runs = [run for run in kept if run["world"] == world.name]
        print("\n".join(table(world, runs)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
