"""Pictures of an evaluation of several classes, as PNG bytes.

Belongs here: drawing what was measured. Does not belong here: measuring.
"""

import numpy as np

from esports_assets.models.multiclass.evaluation import ClassEvaluation
from esports_assets.models.plots import as_png, new_figure


def confusion_png(evaluation: ClassEvaluation) -> bytes:
    """Share of every true class (row) that was given each name (column)."""
    figure, axes = new_figure(7, 6)
    counts = np.array(evaluation.confusion, dtype=np.float64)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    axes.imshow(share, cmap="Blues", vmin=0.0, vmax=1.0)
    places = np.arange(len(evaluation.classes))
    axes.set_xticks(places, evaluation.classes, rotation=45, ha="right")
    axes.set_yticks(places, evaluation.classes)
    for i, j in np.ndindex(share.shape):
        axes.text(
            j, i, f"{share[i, j]:.2f}", ha="center", va="center", fontsize=7, color="w" if share[i, j] > 0.5 else "k"
        )
    f1 = evaluation.cross_validation.metrics["macro_f1"].value
    axes.set(xlabel="named", ylabel="true", title=f"{evaluation.registered_name}: macro-F1 {f1:.3f}")
    return as_png(figure)


def reliability_png(evaluation: ClassEvaluation) -> bytes:
    """How often the most probable class was the true one, against its mean probability, over bins of equal count."""
    figure, axes = new_figure(5, 5)
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    axes.plot([b.mean for b in evaluation.reliability], [b.observed for b in evaluation.reliability], "o-", color="C0")
    ece = evaluation.cross_validation.metrics["ece"].value
    axes.set(xlabel="said of the most probable class", ylabel="came true", xlim=(0, 1), ylim=(0, 1))
    axes.set_title(f"{evaluation.registered_name}: calibration error {ece:.3f}", fontsize=9)
    return as_png(figure)


def per_class_png(evaluation: ClassEvaluation) -> bytes:
    """Precision and recall of every class."""
    figure, axes = new_figure(8, 4)
    places, width = np.arange(len(evaluation.classes)), 0.4
    found = [evaluation.per_class[name] for name in evaluation.classes]
    axes.bar(places - width / 2, [f.precision for f in found], width, label="precision")
    axes.bar(places + width / 2, [f.recall for f in found], width, label="recall")
    axes.set_xticks(places, [f"{n}\n{f.rows:,}" for n, f in zip(evaluation.classes, found, strict=True)], fontsize=8)
    axes.set(ylim=(0, 1), title=evaluation.registered_name)
    axes.legend()
    return as_png(figure)


def risk_coverage_png(evaluation: ClassEvaluation) -> bytes:
    """Share of wrong names against the share of rows that are named, with the threshold that was chosen."""
    figure, axes = new_figure(6, 4)
    curve = evaluation.risk_coverage
    axes.plot([point.coverage for point in curve], [point.risk for point in curve], "o-", markersize=3)
    axes.axvline(evaluation.decision.coverage, color="0.6", linestyle="--", linewidth=1)
    axes.set(xlabel="rows named", ylabel="of them wrong", xlim=(0, 1), title=evaluation.registered_name)
    return as_png(figure)


def class_report_pngs(evaluation: ClassEvaluation) -> dict[str, bytes]:
    """All pictures of a report by name."""
    return {
        "confusion": confusion_png(evaluation),
        "reliability": reliability_png(evaluation),
        "per_class": per_class_png(evaluation),
        "risk_coverage": risk_coverage_png(evaluation),
    }
