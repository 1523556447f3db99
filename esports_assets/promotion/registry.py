"""The MLflow registry on a database: runs, versions with their bundles, aliases. The only module that touches MLflow.

Belongs here: what is written to MLflow and read back from it. This is the only writer of aliases.
Does not belong here: which version deserves an alias (``policy.py``, ``ledger.py``), the object store (``mirror.py``).

MLflow is imported on first use (seconds). No MLflow server is needed: the client talks to the database, in which MLflow
has a schema of its own (``storage.urls.with_schema``). A version's artefact is its bundle directory, nothing pickled.
"""

import os
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from esports_assets.models.contract import check_registered
from esports_assets.promotion.terms import Alias, Estimate
from esports_assets.storage.database import connect

if TYPE_CHECKING:
    from mlflow import MlflowClient

BUNDLE = "bundle"
"""Folder of a run's artifacts that holds the bundle of its version."""
_DIGEST = "bundle_sha256"
"""Tag of a version whose bundle is completely stored: one hash over its files."""
_METRIC = re.compile(r"[A-Za-z][A-Za-z0-9_.\- ]*")
_PARAMS_AT_ONCE, _METRICS_AT_ONCE, _VERSIONS_AT_ONCE = 100, 1000, 1000


class RegistryError(RuntimeError):
    """Something about the registry that a person can act on, in one sentence."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What one training run leaves behind.

    ``tags`` carry dagster_run_id, data_version, window_fingerprint and code_version.
    """

    experiment: str
    name: str
    params: Mapping[str, object] = field(default_factory=dict)
    metrics: Mapping[str, float | Estimate] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Artifacts by path, plots (``plots/reliability.png``) and reports among them."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a registered model. It is complete when its whole bundle is stored."""

    registered_name: str
    version: int
    run_id: str
    source: str
    created_at: datetime
    complete: bool
    tags: Mapping[str, str]


class Registry:
    """The registry behind a ``postgresql://`` URL (its own database) or the ``http(s)://`` URL of an MLflow server."""

    def __init__(self, tracking_uri: str, artifact_root: str | None) -> None:
        """``artifact_root`` is a directory or ``s3://`` URL; None leaves the choice to the MLflow server."""
        if not tracking_uri.startswith(("postgresql://", "postgresql+psycopg2://", "http://", "https://")):
            raise RegistryError(f"MLFLOW_TRACKING_URI must be postgresql:// or http(s)://, not {tracking_uri!r}.")
        self.tracking_uri = tracking_uri
        local = artifact_root is not None and "://" not in artifact_root
        self.artifact_root = str(Path(artifact_root).absolute()) if artifact_root and local else artifact_root
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

    def log_run(self, record: RunRecord) -> str:
        """Store a finished run; returns its id. Intervals become ``<metric>``, ``<metric>_lo`` and ``<metric>_hi``."""
        from mlflow.entities import Metric, Param

        metrics = _flat(record.metrics)
        run = self._client.create_run(self._experiment(record.experiment), run_name=record.name, tags=dict(record.tags))
        run_id: str = run.info.run_id
        status = "FAILED"
        try:
            now = run.info.start_time
            values = [Metric(name, value, now, 0) for name, value in metrics.items()]
            params = [Param(name, str(value)) for name, value in record.params.items()]
            for at in range(0, len(values), _METRICS_AT_ONCE):
                self._client.log_batch(run_id, metrics=values[at : at + _METRICS_AT_ONCE])
            for at in range(0, len(params), _PARAMS_AT_ONCE):
                self._client.log_batch(run_id, params=params[at : at + _PARAMS_AT_ONCE])
            self._upload(run_id, record.files, None)
            status = "FINISHED"
        finally:
            self._client.set_terminated(run_id, status)
        return run_id

    def find_run(self, experiment: str, tags: Mapping[str, str]) -> str | None:
        """The id of the latest finished run of an experiment that carries these tags."""
        words = [*(f"tags.{name} = '{value}'" for name, value in tags.items()), "attributes.status = 'FINISHED'"]
        found = self._client.search_runs(
            [self._experiment(experiment)],
            " and ".join(words),
            max_results=1,
            order_by=["attributes.start_time DESC"],
        )
        return str(found[0].info.run_id) if found else None

    def register(
        self,
        registered_name: str,
        run_id: str,
        pack: Callable[[int], Mapping[str, bytes]],
        tags: Mapping[str, str] | None = None,
    ) -> int:
        """Give a run's model a version and store its bundle; returns the version.

        ``pack`` makes the bundle's files for the version, because a bundle says which version it is. A run has one
        version of a name: registering it again completes what a crash left unfinished, and otherwise changes nothing.
        """
        from mlflow.exceptions import MlflowException

        check_registered(registered_name)
        try:
            self._client.create_registered_model(registered_name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        known = [its for its in self.versions(registered_name) if its.run_id == run_id]
        if known and known[0].complete:
            return known[0].version
        if known:
            version = known[0].version
        else:
            source = f"{self._client.get_run(run_id).info.artifact_uri}/{BUNDLE}"
            made = self._client.create_model_version(registered_name, source, run_id, tags=dict(tags or {}))
            version = int(made.version)
        files = pack(version)
        self._upload(run_id, files, BUNDLE)
        self._client.set_model_version_tag(registered_name, str(version), _DIGEST, _digest(files))
        return version

    def versions(self, registered_name: str) -> list[Version]:
        """Every version of a registered model, newest first; none for a name that is not registered."""
        found: list[Version] = []
        token: str | None = None
        while True:
            page = self._client.search_model_versions(
                f"name = '{check_registered(registered_name)}'", max_results=_VERSIONS_AT_ONCE, page_token=token
            )
            found += [_version(its) for its in page]
            token = page.token
            if not token:
                return sorted(found, key=lambda its: -its.version)

    def version(self, registered_name: str, version: int) -> Version:
        """One version; RegistryError if there is none."""
        from mlflow.exceptions import MlflowException

        try:
            return _version(self._client.get_model_version(check_registered(registered_name), str(version)))
        except MlflowException as error:
            raise RegistryError(f"{registered_name} v{version} is not in the registry.") from error

    def bundle_of(self, registered_name: str, version: int) -> dict[str, bytes]:
        """The files of a version's bundle, verified against the hash that was stored with it."""
        import mlflow.artifacts
        from mlflow.exceptions import MlflowException

        label = f"{registered_name} v{version}"
        entry = self.version(registered_name, version)
        if not entry.complete:
            raise RegistryError(f"{label} has no complete bundle: its registration was interrupted, so run it again.")
        with tempfile.TemporaryDirectory() as folder:
            try:
                got = mlflow.artifacts.download_artifacts(
                    artifact_uri=entry.source, dst_path=folder, tracking_uri=self.tracking_uri
                )
            except (MlflowException, OSError) as error:
                raise RegistryError(f"The bundle of {label} cannot be read from {entry.source}: {error}") from error
            files = {path.name: path.read_bytes() for path in sorted(Path(got).iterdir()) if path.is_file()}
        if _digest(files) != entry.tags[_DIGEST]:
            raise RegistryError(f"The bundle of {label} at {entry.source} is not the one that was registered.")
        return files

    def aliases(self, registered_name: str) -> dict[Alias, int]:
        """Which versions the aliases of a registered model mean; nothing for a name that is not registered."""
        from mlflow.exceptions import MlflowException

        try:
            found = self._client.get_registered_model(check_registered(registered_name)).aliases
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return {}
            raise
        return {alias: int(found[alias]) for alias in Alias if alias in found}

    def get_alias(self, registered_name: str, alias: Alias) -> int | None:
        """The version that an alias means."""
        return self.aliases(registered_name).get(alias)

    def set_alias(self, registered_name: str, alias: Alias, version: int | None) -> None:
        """Let an alias mean a version that exists, or nothing."""
        if version is None:
            self._client.delete_registered_model_alias(registered_name, alias.value)
            return
        self.version(registered_name, version)
        self._client.set_registered_model_alias(registered_name, alias.value, str(version))

    @cached_property
    def _client(self) -> "MlflowClient":
        import logging

        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        for name in ("mlflow.store.db.utils", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
        try:
            if self.tracking_uri.startswith("postgresql"):
                _knock(self.tracking_uri)
            client = MlflowClient(tracking_uri=self.tracking_uri, registry_uri=self.tracking_uri)
            client.search_registered_models(max_results=1)
        except (MlflowException, SQLAlchemyError) as error:
            raise RegistryError(f"The registry does not answer: {str(error).splitlines()[0]}") from error
        return client

    def _experiment(self, name: str) -> str:
        """The experiment's id. Where the artifact root has moved, the experiment gets a successor with the new root."""
        root = None if self.artifact_root is None else f"{self.artifact_root.rstrip('/')}/{name}"
        for known_as in (name, f"{name} @ {root}"):
            known = self._client.get_experiment_by_name(known_as)
            if known is None:
                return str(self._client.create_experiment(known_as, artifact_location=root))
            if root is None or known.artifact_location == root:
                return str(known.experiment_id)
        raise RegistryError(f"The experiment {name} keeps its artifacts elsewhere than in {root}.")

    def _upload(self, run_id: str, files: Mapping[str, bytes], folder: str | None) -> None:
        with tempfile.TemporaryDirectory() as made:
            for path, data in files.items():
                target = Path(made, path)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
            self._client.log_artifacts(run_id, made, folder)


def _knock(url: str) -> None:
    """Fail at once where no database answers; MLflow alone would try for two minutes."""
    engine = connect(url)
    try:
        engine.connect().close()
    finally:
        engine.dispose()


def _flat(metrics: Mapping[str, float | Estimate]) -> dict[str, float]:
    flat: dict[str, float] = {}
    for name, metric in metrics.items():
        if not _METRIC.fullmatch(name):
            raise RegistryError(f"{name!r} is not a metric's name: letters, digits, '_', '.', '-' and spaces only.")
        if isinstance(metric, Estimate):
            flat |= {name: metric.value, f"{name}_lo": metric.lo, f"{name}_hi": metric.hi}
        else:
            flat[name] = float(metric)
    return flat


def _version(found: Any) -> Version:
    return Version(
        registered_name=found.name,
        version=int(found.version),
        run_id=found.run_id or "",
        source=found.source,
        created_at=datetime.fromtimestamp(found.creation_timestamp / 1000, UTC),
        complete=_DIGEST in found.tags,
        tags=dict(found.tags),
    )


def _digest(files: Mapping[str, bytes]) -> str:
    """One hash over names and contents."""
    whole = sha256()
    for name, data in sorted(files.items()):
        whole.update(f"{name} {sha256(data).hexdigest()}\n".encode())
    return whole.hexdigest()
