"""docker-compose.yml and the Dockerfile, as far as they can be tried without an engine."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import psycopg
import pytest
import yaml
from django.conf import settings
from django.urls import reverse

import annotation_site.settings
from annotation_site.api.parsing import StudyParser
from annotation_site.celery import app
from annotation_site.operations import gunicorn_settings
from annotation_site.research.steps.captions import LARGEST_CAPTIONS, CaptionsStep
from tests.annotation_site import cluster
from tests.annotation_site.operations import compose
from tests.annotation_site.operations.test_documentation import names_in_rows

SERVICES = compose.services()
OURS = [name for name, service in SERVICES.items() if service["image"].startswith("attest-")]
SITE = [name for name in OURS if name not in {"proxy", "objects"}]
# https://github.com/compose-spec/compose-spec: what a service may say, of what is said here.
KNOWN = {
    "image", "build", "command", "environment", "volumes", "networks", "ports", "profiles", "depends_on", "healthcheck",
    "restart", "init", "read_only", "user", "cap_drop", "cap_add", "security_opt", "tmpfs", "shm_size", "deploy",
    "stop_grace_period",
}  # fmt: skip
DOCKERFILE = (compose.ROOT / "Dockerfile").read_text(encoding="utf-8")
CADDYFILE = (compose.ROOT / "annotation_site/operations/Caddyfile").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_says_only_what_compose_knows_and_refers_to_what_there_is(name):
    service, document = SERVICES[name], yaml.safe_load(compose.text())
    assert set(service) <= KNOWN
    for other, condition in service.get("depends_on", {}).items():
        assert other in SERVICES
        assert condition["condition"] in {"service_healthy", "service_completed_successfully"}
        assert condition["condition"] != "service_healthy" or "healthcheck" in SERVICES[other]
    volumes = [volume.split(":")[0] for volume in service.get("volumes", [])]
    assert set(volumes) <= set(document["volumes"])
    assert set(service["networks"]) <= set(document["networks"])
    assert all(isinstance(value, str) for value in service.get("environment", {}).values())
    assert all(isinstance(part, str) for part in service.get("command", []))


def has_compose() -> bool:
    return (
        bool(shutil.which("docker"))
        and not subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode
    )


@pytest.mark.skipif(not has_compose(), reason="docker has no compose plugin here: docker compose config is not asked")
@pytest.mark.parametrize("profiles", ["cpu", "gpu", "cpu,objects"])
def test_compose_itself_finds_nothing_wrong(profiles):
    environment = os.environ | NEEDED | {"COMPOSE_PROFILES": profiles}
    command = ["docker", "compose", "config", "--quiet"]
    done = subprocess.run(command, cwd=compose.ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_runs_without_root_and_writes_to_its_volumes_alone(name):
    service = SERVICES[name]
    assert not service["user"].startswith("0")
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["tmpfs"]
    assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")
    assert name == "migrate" or service["healthcheck"]["test"][0] == "CMD"
    assert re.fullmatch(r"attest-\w+|[\w/]+:\d+\.\d+[\w.-]*", service["image"]), "an image of no fixed version"


def test_only_the_proxy_is_reached_from_outside_and_the_gpu_is_reserved_for_its_profile():
    assert [name for name, service in SERVICES.items() if service.get("ports")] == ["proxy"]
    assert {name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service} == {
        "worker-cpu": ["cpu"],
        "worker-gpu": ["gpu"],
        "objects": ["objects"],
    }
    (device,) = SERVICES["worker-gpu"]["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "device_ids": ["0"], "capabilities": ["gpu"]}
    assert "deploy" not in SERVICES["worker-cpu"]
    needs = {name: service.get("environment", {}).get("ATTEST_NEEDS_GPU") for name, service in SERVICES.items()}
    assert {name for name, value in needs.items() if value == "on"} == {"worker-gpu"}


@pytest.mark.parametrize("name", SITE)
def test_each_variable_of_the_site_is_in_the_table_of_settings(name):
    table = annotation_site.settings.__doc__
    for variable in SERVICES[name]["environment"].keys() - {"PGOPTIONS"}:  # PostgreSQL's own
        assert re.search(rf"^({variable}\b|\w+, {variable}\b)", table, re.MULTILINE), variable


# The documentation says that compose decides these; the last two production refuses.
DECIDED = {
    "ATTEST_ENV", "ATTEST_DATA", "ATTEST_STATIC", "ATTEST_NEEDS_GPU", "CELERY_BROKER_URL", "CACHE_URL", "PROXIES",
    "PORT", "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "DATABASE_URL", "DEBUG", "ATTEST_TOUR",
}  # fmt: skip
NEEDED = {"SECRET_KEY": "s" * 50, "POSTGRES_PASSWORD": "p", "ATTEST_HOST": "attest.example"}


@pytest.mark.parametrize("name", SITE)
def test_each_setting_reaches_the_site_as_it_stands_in_the_file_of_settings(name):
    table = names_in_rows(str(annotation_site.settings.__doc__).split("variable  ")[1]) - DECIDED
    if name != "web":
        table.remove("WEB_CONCURRENCY")
    assert "ENCRYPTION_KEYS" in table
    passed = compose.environment(name, NEEDED | {variable: f"my {variable}" for variable in table})
    assert {variable: passed.get(variable) for variable in table} == {variable: f"my {variable}" for variable in table}


@pytest.mark.parametrize("name", SITE)
def test_what_nobody_set_has_the_default_in_compose_too(name):
    code = (
        "from annotation_site import settings; "
        "print({name: value for name, value in vars(settings).items() if name.isupper() and name != 'UNFOLD'})"
    )
    given = compose.environment(name, NEEDED)
    assert given["ENCRYPTION_KEYS"] == ""

    def read(variables: dict[str, str]) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code], env=variables, cwd=compose.ROOT, capture_output=True, text=True, check=True
        )
        return done.stdout

    assert read(given) == read({variable: value for variable, value in given.items() if value})


@pytest.mark.parametrize("name", SITE)
def test_each_command_can_be_found(name):
    program, *arguments = SERVICES[name]["command"]
    assert shutil.which(program, path=str(Path(sys.executable).parent))
    if program == "python":
        assert (compose.ROOT / arguments[0]).is_file()
    for command in (SERVICES[name]["command"], SERVICES[name].get("healthcheck", {}).get("test", [])):
        if "-m" in command:
            assert importlib.util.find_spec(command[command.index("-m") + 1])
    assert f"AS {SERVICES[name]['build']['target']}\n" in DOCKERFILE


def test_what_needs_torch_is_drawn_by_workers_and_all_else_goes_on_without_them():
    app.loader.import_default_modules()
    ours = [name for name in app.tasks if name.startswith("annotation_site.")]
    queues = {name: app.amqp.router.route({}, name)["queue"].name for name in ours}
    drawing = {name.rpartition(".")[2] for name, queue in queues.items() if queue == "drawing"}
    assert drawing == {"work", "ring"}
    assert set(queues.values()) == {"drawing", "site"}
    takers = {name: part for name in SITE for part in SERVICES[name]["command"] if part.startswith("--queues=")}
    assert takers == {"tasks": "--queues=site", "worker-cpu": "--queues=drawing", "worker-gpu": "--queues=drawing"}
    assert SERVICES["tasks"]["image"] == "attest-web"
    # While nobody takes them, they do not pile up.
    assert all(entry["options"]["expires"] == entry["schedule"] for entry in app.conf.beat_schedule.values())
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(ours)
    # A single worker, as on a laptop, is told no queue.
    assert set(app.amqp.queues.consume_from) == {"drawing", "site"}


def test_the_object_store_and_the_site_agree_on_keys_port_and_bucket():
    store, web = SERVICES["objects"], SERVICES["web"]["environment"]
    assert store["environment"]["ROOT_ACCESS_KEY"] == web["S3_ACCESS_KEY"]
    assert store["environment"]["ROOT_SECRET_KEY"] == web["S3_SECRET_KEY"]
    documented = (compose.ROOT / "docs/in-production.md").read_text(encoding="utf-8")
    port = store["command"][store["command"].index("--port") + 1]
    assert f"S3_ENDPOINT=http://objects{port}\n" in documented
    health = store["command"][store["command"].index("--health") + 1]
    assert store["healthcheck"]["test"][-1] == f"http://127.0.0.1{port}{health}"
    # A bucket is a folder in the folder that is served, there since the image was built.
    bucket = re.search(r"^S3_BUCKET=(\w+)$", documented, re.MULTILINE)[1]
    assert store["command"][-2:] == ["posix", "/data"]
    assert f"mkdir -p /data/{bucket} && chown -R 10001:10001 /data" in DOCKERFILE
    assert store["volumes"] == ["objects:/data"]


@pytest.mark.parametrize("says", [True, False])
def test_the_databases_log_tells_no_link_of_a_statement_that_failed(says):
    """By PostgreSQL's own defaults it does: without compose's options the test would see it."""
    program, *options = SERVICES["database"]["command"]
    assert program == "postgres"
    with cluster.running([] if says else options) as server, server.connect() as rows:
        rows.execute("CREATE TABLE part (token text PRIMARY KEY); INSERT INTO part VALUES ('canary')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            rows.execute("INSERT INTO part VALUES ('canary')")
        log = server.log()
    assert "duplicate key value" in log
    assert ("canary" in log) == says


def test_no_secret_has_a_default_and_a_missing_one_is_named():
    for name in ("SECRET_KEY", "POSTGRES_PASSWORD", "ATTEST_HOST"):
        assert re.search(rf"\${{{name}:\?set {name} ", compose.text())
        assert f"${{{name}:-" not in compose.text()
    assert not re.search(r"^(ENV|ARG).*(SECRET|PASSWORD|TOKEN)", DOCKERFILE, re.MULTILINE)


def test_images_start_from_fixed_versions_and_end_without_root():
    stages = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]
    named = {stage.split()[2]: stage for stage in stages}
    assert [stage.split()[0] for stage in stages if ":" in stage.split()[0]] == [
        "python:3.11.11-slim-bookworm",
        "caddy:2.9.1-alpine",
        "versity/versitygw:v1.8.0",
    ]
    assert all(stage.split()[0] in named or ":" in stage.split()[0] for stage in stages)
    for target in ("web", "worker", "proxy", "objects"):
        assert re.search(r"^USER 10001:10001$", named[target], re.MULTILINE)


def test_downloaded_models_lie_in_the_volume_that_all_processes_have():
    site = DOCKERFILE.split(" AS site\n")[1].split("FROM ")[0]
    assert re.search(r"^ENV (.*\n)+.*HF_HOME=/data/huggingface$", site, re.MULTILINE)
    assert DOCKERFILE.count("HF_HOME") == 1
    assert re.findall(r"^FROM site AS (\w+)$", DOCKERFILE, re.MULTILINE) == ["web", "worker"]
    assert all("files:/data" in SERVICES[name]["volumes"] for name in SITE)


def test_all_that_is_copied_is_there_and_reaches_the_builder():
    copies = [line.split() for line in DOCKERFILE.splitlines() if line.startswith("COPY ") and "--from" not in line]
    admitted = {line[1:] for line in (compose.ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for source in {each for words in copies for each in words[1:-1]}:
        assert (compose.ROOT / source).exists()
        assert source.split("/")[0] in admitted


def test_the_web_image_installs_no_torch():
    extras = tomllib.loads((compose.ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert not any(package.startswith(("torch", "diffusers", "spacy")) for package in extras["web"])
    stage = DOCKERFILE.split("AS web-packages")[1].split("FROM ")[0]
    assert "'.[web]'" in stage
    assert "worker" not in stage


def test_the_web_server_logs_no_address_and_the_proxy_neither():
    assert gunicorn_settings.accesslog is None
    assert "request>uri delete" in CADDYFILE
    assert "request>headers delete" in CADDYFILE


def test_the_proxys_health_check_asks_the_running_proxy_and_nobody_else_can():
    address = SERVICES["proxy"]["healthcheck"]["test"][-1].rstrip("/")
    assert re.search(rf"^{re.escape(address)} {{\n\tbind 127.0.0.1\n\trespond 200\n}}$", CADDYFILE, re.MULTILINE)
    assert not any(address.rpartition(":")[2] in port for port in SERVICES["proxy"]["ports"])


UNITS = {"MB": 10**6, "MiB": 2**20}


def fits(path: str, glob: str) -> bool:
    """As in Caddy: an asterisk within a path stands for what has no slash."""
    return re.fullmatch(re.escape(glob).replace(r"\*", "[^/]*"), path) is not None


def let_through(path: str, variables: dict[str, str]) -> int:
    """Bytes that the proxy lets a request to ``path`` send, by the one limit that is for it."""
    text = CADDYFILE
    for name, value in compose.environment("proxy", variables).items():
        text = text.replace(f"{{${name}}}", value)
    limits = re.findall(r"@(\w+) (not )?path (.+)\n\s*request_body @\1 \{\n\s*max_size (\d+)(\w+)\n\s*\}", text)
    assert len(limits) == text.count("max_size")
    found = [
        int(number) * UNITS[unit]
        for _name, negated, globs, number, unit in limits
        if bool(negated) != any(fits(path, glob) for glob in globs.split())
    ]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("megabytes", ["", "300"])
def test_the_proxy_lets_through_as_much_as_the_site_reads(megabytes):
    variables = NEEDED | {"ATTEST_UPLOAD_MB": megabytes}
    read = int(compose.environment("web", variables)["ATTEST_UPLOAD_MB"] or settings.UPLOAD_MEGABYTES) << 20
    assert let_through(reverse("import-study"), variables) == read
    captions = reverse("research-step", kwargs={"pk": 12, "name": CaptionsStep.name})
    assert let_through(captions, variables) == read
    assert read > LARGEST_CAPTIONS + settings.DATA_UPLOAD_MAX_MEMORY_SIZE, "a form around the largest file"
    assert let_through(reverse("api-research-studies"), variables) == StudyParser.largest


def test_the_proxy_cuts_off_early_what_takes_no_files():
    for path in ("/", "/rate/abc/", "/api/v1/enrolments/", "/research/orders/12/", "/research/orders/12/review/"):
        assert let_through(path, NEEDED) == 2_000_000 <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE
