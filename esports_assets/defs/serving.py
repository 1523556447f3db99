"""Serving: the service as an external asset, so that lineage reaches what is served.

Belongs here: its spec. The service reports the version that it serves to the Dagster webserver.
Does not belong here: the service (``serving/``).
"""

import dagster as dg

serving_api = dg.AssetSpec(
    key=["serving", "api"],
    deps=[dg.AssetKey(["bundles", "cs2", task]) for task in ("round_win", "intent")],
    group_name="serving",
    owners=["team:ops"],
    kinds={"fastapi", "onnx"},
    description="The prediction service. Materializations are reports of the version that it serves.",
)
