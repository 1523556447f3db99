"""Lineage to what is served: the Dagster webserver is told which version answers, from a thread of its own.

Belongs here: what a report says, sending it, trying again, and how that goes.
Does not belong here: which version serves (``bundles.py``). Serving never waits for a report and never fails with one.
"""

import json
import logging
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException

from serving.bundles import PRODUCTION
from serving.errors import quoted
from serving.served import ServedModel

ASSET = "serving/api"
_TIMEOUT_S = 10.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 30.0
_log = logging.getLogger("serving")


@dataclass(frozen=True, slots=True)
class Report:
    """One version that took over a task, and since when."""

    task: str
    data_version: str
    metadata: dict[str, str]

    @classmethod
    def of(cls, task: str, model: ServedModel, since: datetime) -> "Report":
        """What is told about a model."""
        contract = model.contract
        metadata = {
            "task": task,
            "registered_name": contract.registered_name,
            "version": contract.version,
            "alias": model.alias,
            "mlflow_run_id": contract.mlflow_run_id,
            "dagster_run_id": contract.dagster_run_id,
            "data_version": contract.training_data.data_version,
            "window_fingerprint": contract.window_fingerprint,
            "served_since": since.isoformat(timespec="seconds"),
        }
        return cls(task, f"{contract.registered_name} v{contract.version}", metadata)


class ReportError(Exception):
    """A report that did not arrive, in one sentence."""


Post = Callable[[str, Report], None]


def post(url: str, report: Report) -> None:
    """Report a materialization to the webserver at ``url``, past any proxy; ReportError says why it was not taken."""
    said = {"data_version": report.data_version, "metadata": report.metadata, "description": _sentence(report)}
    request = urllib.request.Request(
        f"{url}/report_asset_materialization/{ASSET}", json.dumps(said).encode(), {"content-type": "application/json"}
    )
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=_TIMEOUT_S) as answer:
            taken = json.load(answer)
    except urllib.error.HTTPError as error:
        detail = quoted(error.read(200).decode("utf-8", "replace"))
        raise ReportError(f"The Dagster webserver refused the report with status {error.code}: {detail}.") from error
    except (OSError, HTTPException) as error:
        cause = getattr(error, "reason", error)
        raise ReportError(f"The Dagster webserver does not answer ({type(cause).__name__}).") from error
    except ValueError as error:
        raise ReportError("What answers at DAGSTER_URL is not a Dagster webserver.") from error
    if taken != {}:
        raise ReportError(f"The Dagster webserver did not take the report: {quoted(json.dumps(taken))}.")


def _sentence(report: Report) -> str:
    return f"{report.data_version} serves {report.task} as {report.metadata['alias']}."


class Lineage:
    """Tells Dagster the latest version of every task; a version that was replaced before it was told is left out."""

    def __init__(self, url: str, send: Post = post, first_pause_s: float = _FIRST_PAUSE_S) -> None:
        self._url = url.rstrip("/")
        self._post = send
        self._first_pause_s = first_pause_s
        self._changed = threading.Condition()
        self._waiting: dict[str, Report] = {}
        self._told: dict[str, tuple[Report, datetime]] = {}
        self._error: str | None = None
        self._stopped = False

    def start(self) -> None:
        """Begin to send, if there is a webserver to tell."""
        if self._url:
            threading.Thread(target=self._run, name="lineage", daemon=True).start()

    def stop(self) -> None:
        """Send nothing more; a report under way is not waited for."""
        with self._changed:
            self._stopped = True
            self._changed.notify()

    def serves(self, task: str, model: ServedModel) -> None:
        """A model took over. Only Production is told: it is what answers by default."""
        if self._url and model.alias == PRODUCTION:
            with self._changed:
                self._waiting[task] = Report.of(task, model, datetime.now(UTC))
                self._changed.notify()

    def state(self) -> dict[str, object] | None:
        """How reporting goes; None where no webserver is to be told."""
        if not self._url:
            return None
        with self._changed:
            told = [
                {"task": task, "data_version": report.data_version, "reported_at": at.isoformat(timespec="seconds")}
                for task, (report, at) in sorted(self._told.items())
            ]
            return {"asset": ASSET, "reported": told, "waiting": sorted(self._waiting), "error": self._error}

    def _run(self) -> None:
        pause = self._first_pause_s
        while (report := self._next()) is not None:
            try:
                self._post(self._url, report)
            except ReportError as error:
                self._failed(str(error))
                with self._changed:
                    self._changed.wait_for(lambda: self._stopped, pause)
                pause = min(2 * pause, _LONGEST_PAUSE_S)
            else:
                self._succeeded(report)
                pause = self._first_pause_s

    def _next(self) -> Report | None:
        """The next report, once there is one; None when stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._waiting)
            return None if self._stopped else next(iter(self._waiting.values()))

    def _failed(self, reason: str) -> None:
        with self._changed:
            known, self._error = self._error, f"{reason} It is tried again."
        if self._error != known:
            _log.warning("lineage: %s", self._error)

    def _succeeded(self, report: Report) -> None:
        with self._changed:
            self._error = None
            self._told[report.task] = (report, datetime.now(UTC))
            if self._waiting.get(report.task) is report:
                del self._waiting[report.task]
        _log.info("lineage: %s is reported to Dagster as %s", report.data_version, ASSET)
