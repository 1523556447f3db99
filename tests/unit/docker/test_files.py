"""Compose and provisioning files are valid and agree with the project. No container engine is needed."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from esports_assets.settings import Settings

ROOT = Path(__file__).parents[3]
DOCKER = ROOT / "docker"


def _compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    return content


def test_the_environment_of_every_service_is_one_that_the_settings_take() -> None:
    for name in ("instance", "dagster-daemon", "dagster-webserver", "api"):
        environment = {
            k: re.sub(r"\$\{[^}]*\}", "secret", str(v)) for k, v in _compose()["services"][name]["environment"].items()
        }
        settings = Settings.from_env(environment)
        assert settings.lake_url == "s3://lake"
        assert (
            settings.dagster_pg_url
            == "postgresql://esports:secret@postgres:5432/esports?options=-csearch_path%3Ddagster"
        )


def test_services_depend_on_services_that_exist_and_mount_what_exists() -> None:
    compose = _compose()
    for service in compose["services"].values():
        assert set(service.get("depends_on", ())) <= set(compose["services"])
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert (DOCKER / source).exists() if source.startswith(".") else source in compose["volumes"]
        if "build" in service:
            assert (ROOT / service["build"]["dockerfile"]).is_file()


def test_no_password_stands_in_a_file() -> None:
    text = (DOCKER / "compose.yaml").read_text()
    for found in re.findall(r"(?:PASSWORD|SECRET_ACCESS_KEY): (.*)", text):
        assert found.startswith("${"), found


def test_what_the_images_copy_exists() -> None:
    for file in DOCKER.glob("*.Dockerfile"):
        for line in file.read_text().splitlines():
            if line.startswith("COPY "):
                for source in line.split()[1:-1]:
                    assert (ROOT / source).exists(), f"{file.name}: {source}"


def test_dashboards_and_alerts_ask_for_metrics_that_the_service_exposes() -> None:
    from serving.metrics import Metrics

    exposed = {metric.name for metric in Metrics().registry.collect()}
    names = {name for metric in exposed for name in (metric, f"{metric}_total", f"{metric}_bucket")} | {"up"}
    dashboard = json.loads((DOCKER / "grafana/dashboards/api.json").read_text())
    alerts = yaml.safe_load((DOCKER / "prometheus/alerts.yml").read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    expressions += [rule["expr"] for group in alerts["groups"] for rule in group["rules"]]
    assert len(expressions) == 8
    for expression in expressions:
        asked = set(re.findall(r"\b([a-z_]+)(?=[\[{])", expression)) or {expression}
        assert asked <= names, expression


def test_grafana_reads_the_provisioned_source() -> None:
    sources = yaml.safe_load((DOCKER / "grafana/provisioning/datasources/prometheus.yaml").read_text())
    dashboard = json.loads((DOCKER / "grafana/dashboards/api.json").read_text())
    assert {panel["datasource"]["uid"] for panel in dashboard["panels"]} == {sources["datasources"][0]["uid"]}
