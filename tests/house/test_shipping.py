"""What ships the platform: the image, the Compose file, the Render blueprint, production settings, and the documents.

No Docker engine is needed: the files are read, and the image's steps are done by hand.
"""

import http.client
import os
import re
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands
from django.urls import URLPattern, URLResolver, get_resolver

from rhms.env import Env
from rhms.serving import without_tokens

ROOT = Path(settings.BASE_DIR)
KNOWN = {name.upper() for name in Env.model_fields}
# The port that gunicorn and Compose publish, and what Compose makes the owner's address of.
OF_OTHERS = {"PORT", "DB_OWNER_PASSWORD"}
OF_BENCH = {name for path in (ROOT / "bench").glob("*.py") for name in re.findall(r"BENCH_[A-Z]+", path.read_text())}
OURS = ("prepare", "web", "worker", "beat")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
SHIPPED = [ROOT / name for name in ("Dockerfile", "docker-compose.yml", "render.yaml", ".env.example")]

COLLECT = """
import sys, django
from django.conf import settings
django.setup()
settings.STATIC_ROOT = sys.argv[1]
# Compressing takes half a minute and is not what is tested.
settings.WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ("css", "js", "map", "svg", "txt", "html", "json", "md", "")
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
call_command("collectstatic", interactive=False, verbosity=0)
for name in sys.argv[2:]:
    print(staticfiles_storage.url(name))
"""


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def render() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "render.yaml").read_text())  # type: ignore[no-any-return]


def production(**more: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "rhms.settings",
        "DATABASE_URL": os.environ["DATABASE_URL"],
        "REDIS_URL": os.environ["REDIS_URL"],
        "SECRET_KEY": secrets.token_urlsafe(64),
        "SITE_URL": "https://rhms.example",
        "TRUSTED_PROXIES": "1",
        "EMAIL_URL": "smtp://user:password@localhost:587/?tls=True",
        **more,
    }


# --- The Compose file ------------------------------------------------------------------------------------------------


def test_compose_sets_only_variables_that_exist(compose: dict[str, Any]) -> None:
    asked = set(re.findall(r"\$\{([A-Z0-9_]+)", (ROOT / "docker-compose.yml").read_text()))
    for name in OURS:
        asked |= set(compose["services"][name]["environment"])
    assert asked - KNOWN <= OF_OTHERS


def test_compose_starts_without_an_env_file(compose: dict[str, Any]) -> None:
    for name in OURS:
        assert compose["services"][name]["env_file"] == [{"path": ".env", "required": False}]
    for value in compose["services"]["web"]["environment"].values():
        assert "${" not in value or ":-" in value


def test_compose_has_a_health_check_for_whatever_can_be_asked(compose: dict[str, Any]) -> None:
    for name in ("db", "redis", "worker"):
        assert compose["services"][name]["healthcheck"]["test"]
    assert "healthcheck" not in compose["services"]["web"], "the image's own is meant"
    for name in ("prepare", "beat"):  # the image's own would ask for a web server
        assert compose["services"][name]["healthcheck"] == {"disable": True}


def test_nothing_starts_before_the_database_is_prepared(compose: dict[str, Any]) -> None:
    assert compose["services"]["prepare"]["depends_on"]["db"] == {"condition": "service_healthy"}
    for name in ("web", "worker", "beat"):
        assert compose["services"][name]["depends_on"]["prepare"] == {"condition": "service_completed_successfully"}


def test_data_and_uploads_have_volumes(compose: dict[str, Any]) -> None:
    assert set(compose["volumes"]) == {"db", "media"}
    assert "db:/var/lib/postgresql" in compose["services"]["db"]["volumes"]
    for name in ("web", "worker"):
        assert (
            f"media:/app/{compose['services'][name]['environment']['MEDIA_ROOT']}"
            in compose["services"][name]["volumes"]
        )


def test_only_this_machine_reaches_the_web_server(compose: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert list(published) == ["web"]
    assert all(port.startswith("127.0.0.1:") for port in published["web"])


# --- The Render blueprint --------------------------------------------------------------------------------------------


def variables(service: dict[str, Any], render: dict[str, Any]) -> dict[str, Any]:
    groups = {group["name"]: group["envVars"] for group in render["envVarGroups"]}
    found = {}
    for entry in service.get("envVars", []):
        for each in groups[entry["fromGroup"]] if "fromGroup" in entry else [entry]:
            found[each["key"]] = each
    return found


def test_render_sets_only_variables_that_exist_and_all_that_production_needs(render: dict[str, Any]) -> None:
    processes = [service for service in render["services"] if service["type"] in ("web", "worker")]
    assert len(processes) == 3
    for service in processes:
        names = set(variables(service, render))
        assert names <= KNOWN
        needed = {"SECRET_KEY", "SITE_URL", "DATABASE_URL", "REDIS_URL", "TRUSTED_PROXIES", "DEBUG", "EMAIL_URL"}
        if service["name"] != "rhms-beat":
            needed |= {"DEFAULT_FROM_EMAIL", "S3_BUCKET", "S3_SECRET_KEY"}
        assert needed <= names


def test_what_render_refers_to_exists(render: dict[str, Any]) -> None:
    services = {service["name"]: service for service in render["services"]}
    databases = {database["name"] for database in render["databases"]}
    for service in services.values():
        for entry in variables(service, render).values():
            if "fromDatabase" in entry:
                assert entry["fromDatabase"]["name"] in databases
            if "fromService" in entry:
                source = entry["fromService"]
                assert services[source["name"]]["type"] == source["type"]
                if "envVarKey" in source:
                    assert source["envVarKey"] in variables(services[source["name"]], render)


def test_no_secret_is_written_down(render: dict[str, Any]) -> None:
    for service in render["services"]:
        for name, entry in variables(service, render).items():
            assert "value" not in entry or name in ("DEBUG", "TRUSTED_PROXIES")
    for path in SHIPPED:
        assert not re.search(r"SECRET_KEY[=:] *['\"]?[A-Za-z0-9]{20}", path.read_text())


# --- The image -------------------------------------------------------------------------------------------------------


def instructions() -> list[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    return [
        (line.split(maxsplit=1)[0], line.split(maxsplit=1)[1])
        for line in text.splitlines()
        if line.strip() and not line.startswith("#")
    ]


def test_the_image_is_pinned_slim_and_does_not_run_as_root() -> None:
    bases = [value for name, value in instructions() if name == "FROM"]
    assert all(re.match(r"python:3\.11\.\d+-slim", base) for base in bases)
    assert len(bases) == 2
    users = [value for name, value in instructions() if name == "USER"]
    assert users == ["rhms"]
    assert [name for name, _value in instructions()].index("USER") < [name for name, _value in instructions()].index(
        "CMD"
    )


def test_the_image_holds_no_development_packages_and_no_secrets() -> None:
    assert "requirements-dev" not in (ROOT / "Dockerfile").read_text()
    ignored = set((ROOT / ".dockerignore").read_text().splitlines())
    assert {".env", ".env.*", ".git", ".venv", "var", "tests", "requirements-dev.txt"} <= ignored


def test_three_workers_with_threads_serve() -> None:
    [command] = [value for name, value in instructions() if name == "CMD"]
    for part in ('"rhms.wsgi"', '"--workers", "3"', '"--threads", "4"', '"--access-logfile", "-"'):
        assert part in command
    assert any(name == "HEALTHCHECK" and "/healthz" in value and "curl" not in value for name, value in instructions())


def test_production_collects_every_file_that_a_template_names(tmp_path: Path) -> None:
    names = set()
    for template in (ROOT / "templates").rglob("*.html"):
        names |= set(re.findall(r"{% static [\"']([^\"']+)[\"']", template.read_text()))
    assert len(names) > 5
    command = [sys.executable, "-c", COLLECT, str(tmp_path), *sorted(names)]
    done = subprocess.run(command, cwd="/", env=production(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    urls = done.stdout.split()
    assert len(urls) == len(names)
    for url in urls:
        assert re.search(r"\.[0-9a-f]{12}\.\w+$", url), f"{url} has no digest in its name"
        assert (tmp_path / url.removeprefix("/static/")).exists()


def test_production_refuses_the_default_secret_and_plain_http() -> None:
    for more in ({"SECRET_KEY": ""}, {"SITE_URL": "http://rhms.example"}):
        command = [sys.executable, "-c", "import rhms.settings"]
        done = subprocess.run(command, cwd="/", env=production(**more), capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert "The environment is not complete" in done.stderr
        assert "Traceback" not in done.stderr


@pytest.fixture
def served(
    django_db_setup: None,
) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """The image's own command on this machine, with one worker."""
    [command] = re.findall(r"^CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    arguments = yaml.safe_load(command.replace('"--workers", "3"', '"--workers", "1"'))
    arguments = [part for part in arguments if part not in ("--worker-tmp-dir", "/dev/shm")]
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    running = subprocess.Popen(
        [sys.executable, "-m", *arguments, "--bind", f"127.0.0.1:{port}"],
        cwd="/",
        env=production(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield port, running
    running.terminate()
    running.communicate(timeout=30)


def ask(port: int, path: str, **headers: str) -> tuple[int, str]:
    """The status, and where it leads."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.headers.get("Location", "")


def until_it_answers(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            assert ask(port, "/healthz")[0] == 200
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            return


def test_the_images_command_serves_with_production_settings(served: tuple[int, subprocess.Popen[str]]) -> None:
    port, running = served
    until_it_answers(port)
    assert ask(port, "/readyz")[0] == 200
    assert ask(port, "/readyz", Host="10.1.2.3")[0] == 200, "whoever watches the machine may ask by its address"
    assert ask(port, "/sign-in/", Host="rhms.example") == (301, "https://rhms.example/sign-in/")
    assert ask(port, "/api/schema/", Host="rhms.example", X_Forwarded_Proto="https") == (200, "")
    ask(port, "/register/status/a-token-of-somebody/?x=1", Host="rhms.example")
    running.terminate()
    assert running.stdout
    log = running.stdout.read()
    assert '"GET /readyz HTTP/1.1" 200' in log
    assert '"GET /register/status/***/?x=1 HTTP/1.1" 301' in log
    assert "a-token" not in log


def tokens_in(patterns: list[Any], prefix: str = "/") -> Iterator[str]:
    for pattern in patterns:
        where = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from tokens_in(pattern.url_patterns, where)
        elif isinstance(pattern, URLPattern) and "token>" in where:
            yield where


def test_the_access_log_keeps_no_token_of_any_address() -> None:
    addresses = {
        where
        for urlconf in ("rhms.urls_portal", "rhms.urls_hospital")
        for where in tokens_in(get_resolver(urlconf).url_patterns)
    }
    assert len(addresses) >= 3
    for where in addresses:
        assert "token" not in without_tokens(where), f"{where} is written to the access log: see rhms/serving.py"
    assert without_tokens("GET /hospitals/?q=invitation HTTP/1.1") == "GET /hospitals/?q=invitation HTTP/1.1"


# --- Commands, and what the documents say ----------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*SHIPPED, *DOCUMENTS], ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_it_names_exists(path: Path) -> None:
    text = path.read_text()
    commands = set(re.findall(r"(?:python |`)manage\.py ([a-z_]+)", text))
    assert commands <= set(get_commands())
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    asked = re.findall(
        r"`make ([a-z-]+)(?: [a-z-]+)*`|^make ([a-z-]+)(?=$| +#| ARGS)|=\d+ make ([a-z-]+)", text, flags=re.MULTILINE
    )
    assert {name for names in asked for name in names if name} <= targets


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_and_setting_it_names_exists(path: Path) -> None:
    text = path.read_text()
    for link in re.findall(r"(?<!!)\[[^\]]+\]\(([^)#:]+)\)", text):
        assert (path.parent / link).exists(), link
    for named in re.findall(r"`([\w.]+(?:/[\w.]+)+\.(?:py|sql|md|css|html|txt|yaml|yml))`", text):
        assert (ROOT / named).exists(), named
    for variable in re.findall(r"`([A-Z0-9]+_[A-Z0-9_]+)`", text):
        known = KNOWN | OF_OTHERS | OF_BENCH
        assert variable in known or hasattr(settings, variable) or variable in ("TRANSITIONS",), variable


def test_the_decisions_are_numbered_without_a_gap() -> None:
    records = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [path.name[:4] for path in records] == [f"{number:04d}" for number in range(1, len(records) + 1)]
    for path in records:
        headings = re.findall(r"^## (.*)$", path.read_text(), flags=re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences"], path.name
