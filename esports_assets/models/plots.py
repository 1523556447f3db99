"""Pictures for reports, as PNG bytes.

Belongs here: drawing what the evaluation has measured. Does not belong here: measuring.
"""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from esports_assets.models.evaluation import Evaluation

EVENTS_SHOWN = {"KILL": "kill", "BOMB_PLANTED": "plant", "BOMB_DEFUSED": "defuse", "BOMB_EXPLODED": "explosion"}


def reliability_png(evaluation: Evaluation) -> bytes:
    """Observed frequency against mean out-of-fold probability, over bins of equal count."""
    figure, axes = new_figure(5, 5)
    bins = evaluation.reliability
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    axes.plot([b.mean for b in bins], [b.observed for b in bins], "o-", color="C0")
    ece = evaluation.cross_validation.metrics["ece"].value
    axes.set(xlabel="said", ylabel="came true", title=f"{evaluation.registered_name}: calibration error {ece:.3f}")
    axes.set(xlim=(0, 1), ylim=(0, 1))
    return as_png(figure)


def loss_by_time_png(evaluation: Evaluation) -> bytes:
    """Log loss by seconds into the round, beside the baselines."""
    figure, axes = new_figure(7, 4)
    parts = [s for s in evaluation.slices if s.by == "time_s" and s.n_rows]
    at = np.arange(len(parts))
    measured = [s.metrics["log_loss"] for s in parts]
    low = [m.value - m.lo if m.lo is not None else 0.0 for m in measured]
    high = [m.hi - m.value if m.hi is not None else 0.0 for m in measured]
    axes.errorbar(at, [m.value for m in measured], yerr=np.maximum([low, high], 0), fmt="o-", label=evaluation.family)
    for name in parts[0].baselines if parts else ():
        axes.plot(at, [s.baselines[name] for s in parts], "--", label=name)
    axes.set_xticks(at, [s.value for s in parts])
    axes.set(xlabel="seconds into the round", ylabel="log loss", title=evaluation.registered_name)
    axes.legend()
    return as_png(figure)


def contributions_png(evaluation: Evaluation, top: int = 15) -> bytes:
    """The features that move predictions most."""
    figure, axes = new_figure(7, 5)
    found = evaluation.contributions[:top][::-1]
    axes.barh([c.feature for c in found], [c.mean_absolute for c in found])
    axes.set(xlabel="mean |contribution| (log-odds)", title=evaluation.registered_name)
    return as_png(figure)


def round_png(predictions: pa.Table, match_id: str, segment: int, probability: str = "p_ct") -> bytes:
    """Win probability over one round, with its band and, where the rows name them, its events."""
    rows = [r for r in predictions.to_pylist() if r["match_id"] == match_id and r["segment"] == segment]
    if not rows:
        raise LookupError(f"no prediction for round {segment} of {match_id}")
    figure, axes = new_figure(8, 4)
    t = [r["t_s"] for r in rows]
    axes.fill_between(t, [r["lo"] for r in rows], [r["hi"] for r in rows], alpha=0.25, linewidth=0)
    axes.plot(t, [r[probability] for r in rows])
    for row in rows:
        if row.get("event_type") in EVENTS_SHOWN:
            axes.axvline(row["t_s"], color="0.6", linewidth=0.8)
            axes.text(row["t_s"], 1.01, EVENTS_SHOWN[row["event_type"]], rotation=90, fontsize=6, va="bottom")
    axes.axhline(0.5, color="0.8", linewidth=0.8)
    axes.set(xlabel="seconds", ylabel=probability, ylim=(0, 1))
    axes.set_title(f"{match_id}, round {segment}", pad=28, fontsize=9)
    return as_png(figure)


def report_pngs(evaluation: Evaluation, predictions: pa.Table, probability: str = "p_ct") -> dict[str, bytes]:
    """All pictures of a report by name; the round shown is the one whose probability moved most."""
    match_id, segment = _liveliest(predictions, probability)
    return {
        "reliability": reliability_png(evaluation),
        "loss_by_time": loss_by_time_png(evaluation),
        "contributions": contributions_png(evaluation),
        "round": round_png(predictions, match_id, segment, probability),
    }


def _liveliest(predictions: pa.Table, probability: str) -> tuple[str, int]:
    ids, segments = predictions["match_id"].to_pylist(), predictions["segment"].to_pylist()
    p: Sequence[float] = predictions[probability].to_pylist()
    moved: dict[tuple[str, int], float] = {}
    for i in range(1, len(p)):
        if (ids[i], segments[i]) == (ids[i - 1], segments[i - 1]):
            moved[ids[i], segments[i]] = moved.get((ids[i], segments[i]), 0.0) + abs(p[i] - p[i - 1])
    return max(moved, key=lambda key: (moved[key], key))


def new_figure(width: float, height: float) -> tuple[Any, Any]:
    """A figure on the Agg canvas, without the global state of pyplot."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots()


def as_png(figure: Any) -> bytes:
    sink = io.BytesIO()
    figure.savefig(sink, format="png", dpi=110, metadata={"Software": None})
    return sink.getvalue()
