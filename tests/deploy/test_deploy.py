"""The files to deploy by: each is well-formed, they agree with each other, and what they name is there in the gateway."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import yaml

from gateway.__main__ import main
from gateway.app import create_app, read_settings, settings_from
from gateway.settings import ServerSettings, Settings
from tests.deploy.containerfile import Instruction, read_stages
from tests.fakes import FakeWire, answer
from tests.server.conftest import SOURCE
from tests.server.sockets import listening

pytestmark = pytest.mark.anyio

ROOT: Final = Path(__file__).parent.parent.parent
DEPLOY: Final = ROOT / "gateway" / "deploy"
STAGES: Final = read_stages((DEPLOY / "Containerfile").read_text(encoding="utf-8"))
OBJECTS: Final[dict[str, dict[str, Any]]] = {
    document["kind"]: document
    for name in ("kubernetes-config.yaml", "kubernetes.yaml")
    for document in yaml.safe_load_all((DEPLOY / name).read_text(encoding="utf-8"))
}
POD: Final[dict[str, Any]] = OBJECTS["Deployment"]["spec"]["template"]["spec"]
CHECK: Final[dict[str, Any]] = OBJECTS["Job"]["spec"]["template"]["spec"]
(GATEWAY,) = POD["containers"]
UNIT: Final = (DEPLOY / "invoice-gateway.service").read_text(encoding="utf-8")
NAME: Final = {"app.kubernetes.io/name": "invoice-gateway"}
SECRETS: Final = "/run/secrets/invoice-gateway"
TABLES: Final = {"server": {"state": "sqlite://"}, "telemetry": {"open_metrics": True}, "sources": {"shop": SOURCE}}
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")


def only(name: str) -> Instruction:
    """Give the one instruction of this name in what is run."""
    (found,) = [instruction for instruction in STAGES[-1] if instruction.name == name]
    return found


def lines_of(key: str) -> list[str]:
    """Give what the unit says of a key, in its order."""
    return [line.partition("=")[2] for line in UNIT.splitlines() if line.startswith(f"{key}=")]


def config_of_map(folder: Path) -> Path:
    """Write the configuration of the ConfigMap with a system filled in, and its secrets in a folder."""
    text = OBJECTS["ConfigMap"]["data"]["gateway.toml"].replace(SECRETS, str(folder)).replace('"SYSTEM"', '"compilator"')
    (folder / "state").write_text("postgresql://gateway@db.example/gateway")
    for secret in ("signing-key", "shop-password"):
        (folder / secret).write_text("s3cret")
    (folder / "gateway.toml").write_text(text)
    return folder / "gateway.toml"


def seconds_to_end(settings: Settings | None = None) -> float:
    """Say how long a process may take to end in order; None: as it comes."""
    server = ServerSettings() if settings is None else settings.server
    return server.unready_seconds + server.drain_seconds + server.mutation_deadline_seconds


# ------------------------------------------------------------------ the container


def test_it_is_built_on_pinned_bases_and_fetches_nothing_but_packages() -> None:
    assert [stage[0].words[0] for stage in STAGES] == ["docker.io/library/python:3.13-slim-trixie"] * 2
    assert not [instruction for stage in STAGES for instruction in stage if instruction.name == "ADD"]
    assert ["install" in instruction.text for instruction in STAGES[-1] if instruction.name == "RUN"] == [False]


def test_it_runs_as_a_number_that_is_not_root_and_writes_in_one_place() -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", only("USER").text)
    assert only("VOLUME").text == only("WORKDIR").text == "/var/lib/invoice-gateway"


def test_it_gets_signals_itself_and_is_told_to_end_by_the_one_that_drains() -> None:
    assert only("ENTRYPOINT").is_exec_form
    assert only("CMD").is_exec_form
    assert only("STOPSIGNAL").text == "SIGTERM"


def test_its_command_is_one_of_ours_that_lacks_its_file_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(tmp_path / "gateway.toml") if word.startswith("/etc/") else word for word in only("CMD").words]

    assert (only("ENTRYPOINT").words, main(words)) == (["invoice-gateway"], 2)
    assert capsys.readouterr().err == f"{tmp_path}/gateway.toml: No such file or directory\n"


async def test_its_health_check_asks_for_what_is_there_and_notices_what_is_not() -> None:
    how, _, array = only("HEALTHCHECK").text.partition("CMD")
    python, *command = Instruction("CMD", array.strip()).words
    app = create_app(settings_from(TABLES), FakeWire(lambda _: answer("null")))

    async with listening(app) as gateway:
        port = gateway.port
        fine = await checked(command, port)
    gone = await checked(command, port)

    assert (python, "--interval=30s" in how, fine, gone) == ("python", True, 0, 1)


async def checked(command: list[str], port: int) -> int:
    """Run the check of another port, in a process of its own."""
    words = [word.replace("8000", str(port)) for word in command]
    process = await asyncio.create_subprocess_exec(sys.executable, *words, stderr=asyncio.subprocess.DEVNULL)
    return await process.wait()


# ------------------------------------------------------------------ Kubernetes


def test_the_ports_agree() -> None:
    command = only("CMD").words
    port = int(command[command.index("--port") + 1])
    (service,) = OBJECTS["Service"]["spec"]["ports"]

    assert only("EXPOSE").text == str(port)
    assert GATEWAY["ports"] == [{"name": "http", "containerPort": port}]
    assert service["targetPort"] == "http"
    assert {GATEWAY[probe]["httpGet"]["port"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")} == {"http"}
    assert f"'127.0.0.1', {port}," in only("HEALTHCHECK").text


async def test_the_probes_ask_what_the_gateway_answers() -> None:
    paths = {probe: GATEWAY[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "liveness", "readiness")}
    app = create_app(settings_from(TABLES), FakeWire(lambda _: answer("null")))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://g.example") as client:
        answers = {probe: (await client.get(path)).text for probe, path in paths.items()}
        app.state.load.stop()
        stopping = {probe: (await client.get(path)).status_code for probe, path in paths.items()}

    assert answers == {"startup": "ok\n", "liveness": "ok\n", "readiness": "ok\n"}
    assert stopping == {"startup": 200, "liveness": 200, "readiness": 503}


def test_the_configuration_passes_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["check", "--config", str(config_of_map(tmp_path))])

    assert (code, capsys.readouterr().err) == (0, "")


def test_the_secrets_it_names_are_mounted_and_those_the_comment_makes() -> None:
    named = set(re.findall(rf'"file:{SECRETS}/([^"]+)"', OBJECTS["ConfigMap"]["data"]["gateway.toml"]))
    comment = (DEPLOY / "kubernetes-config.yaml").read_text(encoding="utf-8")

    assert named == set(re.findall(r"--from-file=(\S+)", comment))
    for pod in (POD, CHECK):
        mounts = {mount["name"]: mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
        assert mounts == {"config": "/etc/invoice-gateway", "secrets": SECRETS, "tmp": "/tmp"}  # noqa: S108  (in the pod)
        assert {volume["name"] for volume in pod["volumes"]} == set(mounts)


def test_replicas_share_their_journal_and_write_to_no_disk(tmp_path: Path) -> None:
    settings = read_settings(config_of_map(tmp_path))

    assert settings.server.state.get_secret_value().startswith("postgresql://")
    assert [mount["name"] for mount in GATEWAY["volumeMounts"] if not mount.get("readOnly")] == ["tmp"]


def test_a_pod_is_given_the_time_that_an_orderly_end_may_take(tmp_path: Path) -> None:
    settings = read_settings(config_of_map(tmp_path))
    probe = GATEWAY["readinessProbe"]

    assert POD["terminationGracePeriodSeconds"] > seconds_to_end(settings)
    assert settings.server.unready_seconds > probe["periodSeconds"] * probe["failureThreshold"]


@pytest.mark.parametrize("pod", [POD, CHECK], ids=["gateway", "check"])
def test_a_pod_may_do_nothing_that_it_need_not(pod: Mapping[str, Any]) -> None:
    (container,) = pod["containers"]

    user, group = (int(part) for part in only("USER").text.split(":"))
    expected = {
        "runAsNonRoot": True,
        "runAsUser": user,
        "runAsGroup": group,
        "fsGroup": group,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert pod["securityContext"] == expected
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["automountServiceAccountToken"] is False
    assert {"requests", "limits"} == set(container["resources"])


def test_what_belongs_together_is_found_by_one_name() -> None:
    found = [
        OBJECTS["Deployment"]["spec"]["selector"]["matchLabels"],
        OBJECTS["Deployment"]["spec"]["template"]["metadata"]["labels"],
        OBJECTS["Service"]["spec"]["selector"],
        OBJECTS["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        POD["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"],
    ]
    target = OBJECTS["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]

    assert found == [NAME] * len(found)
    assert OBJECTS["Job"]["spec"]["template"]["metadata"]["labels"] != NAME
    assert (target["kind"], target["name"]) == ("Deployment", OBJECTS["Deployment"]["metadata"]["name"])


def test_what_is_checked_is_what_is_run() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    (check,) = CHECK["containers"]

    assert check["image"] == GATEWAY["image"] == f"registry.example/invoice-gateway:{version}"
    assert check["args"] == ["check", "--config", only("CMD").words[2], "--live"]


def test_one_pod_at_a_time_may_be_taken_away_and_none_before_another_serves() -> None:
    assert OBJECTS["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1
    assert OBJECTS["Deployment"]["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert OBJECTS["HorizontalPodAutoscaler"]["spec"]["minReplicas"] == 2
    assert "replicas" not in OBJECTS["Deployment"]["spec"]


async def test_the_autoscaler_looks_at_what_the_adapter_makes_of_what_the_gateway_tells() -> None:
    (rule,) = yaml.safe_load((DEPLOY / "prometheus-adapter.yaml").read_text(encoding="utf-8"))["rules"]["custom"]
    series = rule["seriesQuery"].partition("{")[0]
    app = create_app(settings_from(TABLES), FakeWire(lambda _: answer("null")))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://g.example") as client,
    ):
        await client.post("/graphql", json={"query": "{ caller { name } }"})
        told = (await client.get("/metrics")).text

    pods = OBJECTS["HorizontalPodAutoscaler"]["spec"]["metrics"][0]["pods"]
    assert f"\n{series}{{" in told
    assert re.sub(rule["name"]["matches"], r"\1_p95", series) == pods["metric"]["name"]
    assert rule["name"]["as"] == "${1}_p95"


# ------------------------------------------------------------------ systemd


@needs_systemd
def test_systemd_takes_the_unit_and_finds_little_that_it_could_do(tmp_path: Path) -> None:
    path = tmp_path / "invoice-gateway.service"
    path.write_text(UNIT.replace("/opt/invoice-gateway/bin/invoice-gateway", "/bin/true"))  # it is not installed here
    verify = subprocess.run(["systemd-analyze", "verify", "--man=no", str(path)], capture_output=True, text=True, check=False)  # noqa: S607
    security = ["systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold=15", str(path)]

    assert (verify.returncode, verify.stderr) == (0, "")
    assert subprocess.run(security, capture_output=True, text=True, check=False).returncode == 0


def test_a_reload_of_the_unit_checks_the_file_before_the_gateway_is_told() -> None:
    (start,), (check, tell) = lines_of("ExecStart"), lines_of("ExecReload")
    command, _, arguments = start.partition(" ")

    assert arguments == "serve --config /etc/invoice-gateway/gateway.toml"
    assert check == f"{command} check --config /etc/invoice-gateway/gateway.toml"
    assert tell == "/bin/kill -HUP $MAINPID"


def test_the_unit_is_given_the_time_that_an_orderly_end_may_take_and_not_started_again_for_a_mistake() -> None:
    assert float(*lines_of("TimeoutStopSec")) > seconds_to_end()
    assert (lines_of("Restart"), lines_of("RestartPreventExitStatus")) == (["on-failure"], ["2"])
