"""``mlflow models serve`` of the graph of a bundle, asked the way its users ask.

Belongs here: saving the model for MLflow and starting its server. Does not belong here: measuring (``http_load.py``).
"""

import json
import sys
from pathlib import Path

from http_load import Server

FORMS = {
    "dataframe": "mlflow.onnx with a signature, asked by dataframe_split, answers the probability",
    "tensor": "mlflow.onnx without a signature, asked by a tensor, answers the probability and its replicates",
}
"""What is compared with; the first is what MLflow's documentation shows, the second the cheapest that answers in full."""


def mlflow_server(graph: bytes, row: dict[str, float], form: str, folder: Path) -> Server:
    """The scoring server with one worker, like the service, and a body with the same row."""
    import mlflow.onnx
    import onnx
    import pandas as pd

    path = folder / "mlflow-model"
    model = onnx.load_model_from_string(graph)
    if form == "dataframe":
        for output in [output for output in model.graph.output if output.name != "probability"]:
            model.graph.output.remove(output)
        frame = pd.DataFrame([row]).astype("float64")
        said = pd.DataFrame({"probability": [0.5]})
        mlflow.onnx.save_model(model, str(path), signature=mlflow.models.infer_signature(frame, said))
        body = {"dataframe_split": {"columns": list(row), "data": [list(row.values())]}}
    else:
        mlflow.onnx.save_model(model, str(path))
        body = {"inputs": {"features": [list(row.values())]}}
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(path), "-p", "{port}"]
    command += ["--env-manager", "local", "--workers", "1"]
    return Server("mlflow models serve", command, "/invocations", json.dumps(body).encode(), {})
