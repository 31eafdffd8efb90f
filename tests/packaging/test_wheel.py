"""What a user installs: the built wheel, in an environment of its own, outside this checkout."""

import email.message
import email.parser
import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest
from django.db import connections

import orm_views_admin
import orm_views_core
from tests.environment import clean_environment

CHECKOUT = Path(__file__).resolve().parents[2]
PROJECT = Path(__file__).with_name("project")

#: Where a README leads to: links and pictures of Markdown and of HTML, and the targets of references.
TARGETS = re.compile(
    r'\]\(\s*<?([^)\s>]*)|\b(?:src|srcset|href)="([^"]*)"|^\[[^\]]+\]:\s+<?([^\s>]*)', re.MULTILINE
)
FENCES = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)
#: The addresses that the index gets, and where each lies in the checkout.
SITE = "https://django-orm-views-admin.readthedocs.io/page/"
SOURCE = re.compile(
    r"https://(?:raw\.githubusercontent|github)\.com/django-orm-views-admin/django-orm-views-admin/(?:blob/)?v([^/]+)/(.+)"
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the source distribution, which is built from the checkout."""
    directory = tmp_path_factory.mktemp("dist")
    build = (sys.executable, "-m", "build", "--no-isolation")
    _run(*build, "--outdir", str(directory), str(CHECKOUT), cwd=directory)
    return next(directory.glob("*.whl"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel in it; what it depends on comes from the running one."""
    directory = tmp_path_factory.mktemp("environment")
    _run(sys.executable, "-m", "venv", "--without-pip", str(directory), cwd=directory)
    python = directory / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check")
    _run(*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel), cwd=directory)
    # A path that a .pth file adds is searched last and its own .pth files are not read, so neither the wheel
    # nor its absence can be hidden by the checkout, which is installed there as editable.
    site_packages = next(directory.glob("lib/python*/site-packages"))
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return directory


def test_the_wheel_holds_the_packages_with_their_pages_and_nothing_else(wheel):
    with ZipFile(wheel) as archive:
        names = archive.namelist()
    top_level = {name.partition("/")[0] for name in names if ".dist-info/" not in name}
    assert top_level == {"orm_views_core", "orm_views_admin"}
    assert "orm_views_core/py.typed" in names
    assert "orm_views_admin/py.typed" in names
    assert "orm_views_admin/static/orm_views_admin/orm_views.css" in names
    in_checkout = {path.relative_to(CHECKOUT).as_posix() for path in CHECKOUT.glob("templates/**/*.html")}
    in_wheel = {name.partition("/")[2] for name in names if name.startswith("orm_views_admin/templates/")}
    assert in_wheel == in_checkout != set()
    catalogue = CHECKOUT / "orm_views_core" / "catalogue"
    beside = [path for folder in ("templates", "assets") for path in (catalogue / folder).iterdir()]
    assert len(beside) >= 8
    assert {path.relative_to(CHECKOUT).as_posix() for path in beside} <= set(names)


def test_the_wheel_holds_the_translations_of_both_packages_and_the_migrations(wheel):
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for package in ("orm_views_core", "orm_views_admin"):
        catalog = f"{package}/locale/de/LC_MESSAGES/django"
        assert {f"{catalog}.po", f"{catalog}.mo"} <= names
    migrations = CHECKOUT.glob("orm_views_admin/migrations/0*.py")
    assert {path.relative_to(CHECKOUT).as_posix() for path in migrations} <= names


def test_the_version_is_the_same_wherever_it_is_asked_for(wheel):
    version = _metadata(wheel)["Version"]
    assert version == orm_views_core.__version__ == orm_views_admin.__version__
    assert wheel.name.startswith(f"django_orm_views_admin-{version}-")
    assert f"## [{version}]" in (CHECKOUT / "CHANGELOG.md").read_text()


def test_the_readme_on_the_index_has_no_relative_link(wheel):
    metadata = _metadata(wheel)
    shown, written = metadata.get_payload(), (CHECKOUT / "README.md").read_text()
    targets = _targets(shown)
    assert len(targets) == len(_targets(re.sub(r"<source[^>]*>", "", written))) > 10
    assert [target for target in targets if not target.startswith("https://")] == []
    assert "<picture" not in shown
    assert _code(shown) == _code(written) != []


def test_what_the_readme_on_the_index_leads_to_is_in_the_checkout(wheel):
    metadata = _metadata(wheel)
    pages, files = set(), set()
    for target in _targets(metadata.get_payload()):
        if target.startswith(SITE):
            pages.add(target.removeprefix(SITE).partition("#")[0])
        elif found := SOURCE.fullmatch(target):
            assert found[1] == metadata["Version"]
            files.add(found[2].partition("#")[0])
    assert pages
    assert {"LICENSE", "CHANGELOG.md"} <= files
    assert [page for page in pages if not (CHECKOUT / "docs" / page).with_suffix(".md").exists()] == []
    assert [file for file in files if not (CHECKOUT / file).exists()] == []


def test_the_source_distribution_holds_what_a_contributor_needs(wheel):
    with tarfile.open(next(wheel.parent.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    kept = [
        path
        for folder in ("docs", "tests", "orm_views_core", "orm_views_admin", ".github", ".ci")
        for path in (CHECKOUT / folder).rglob("*")
        if path.is_file()
        and path.suffix in {".md", ".py", ".po", ".mo", ".html", ".css", ".yml", ".json", ".png"}
    ]
    assert {path.relative_to(CHECKOUT).as_posix() for path in kept} <= names
    assert {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE", "Makefile"} <= names
    assert {".ci/run", ".gitignore", ".readthedocs.yaml", "compose.yaml", "docker/Dockerfile"} <= names
    assert [name for name in names if name.startswith((".venv", ".nox", ".postgres", "build", "dist"))] == []


def test_an_installed_wheel_shows_the_list_page_and_its_style_sheet(environment, tmp_path):
    project = shutil.copytree(PROJECT, tmp_path / "project", ignore=shutil.ignore_patterns("__pycache__"))
    visited = _run(
        *(str(environment / "bin" / "python"), "-m", "django", "visit"),
        cwd=project,
        env={"DJANGO_SETTINGS_MODULE": "settings", "DATABASE": json.dumps(_database("test_wheel"))},
    )
    visit = json.loads(visited)
    for file in visit["packages"]:
        assert Path(file).is_relative_to(environment)
    assert visit["status"] == 200
    assert "openinghours" in visit["page"]
    assert "orm_views_admin/orm_views.css" in visit["page"]
    assert Path(visit["style sheet found at"]).is_relative_to(environment)
    assert visit["style sheet"].strip()


def test_a_project_that_sets_up_django_before_pytest_gets_no_warning(environment, tmp_path):
    (tmp_path / "test_it.py").write_text("def test_it(): pass")
    program = "import sys, pytest, orm_views_core, orm_views_admin; sys.exit(pytest.main(['-W', 'error']))"
    assert "1 passed" in _run(str(environment / "bin" / "python"), "-c", program, cwd=tmp_path)


def _metadata(wheel: Path) -> email.message.Message:
    """The METADATA of a wheel; its body is the README."""
    with ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return email.parser.Parser().parsestr(archive.read(name).decode())


def _targets(readme: str) -> list[str]:
    """Every address that a README leads to, outside of code."""
    return ["".join(found) for found in TARGETS.findall(FENCES.sub("", readme))]


def _code(readme: str) -> list[str]:
    return [found[0] for found in FENCES.finditer(readme)]


def _database(test_name: str) -> dict[str, object]:
    """The settings of a test database of another name on the server that the tests use."""
    settings = connections["default"].settings_dict
    keys = ("ENGINE", "HOST", "PORT", "USER", "PASSWORD", "OPTIONS")
    return {**{key: settings[key] for key in keys}, "NAME": "postgres", "TEST": {"NAME": test_name}}


def _run(*command: str, cwd: Path, env: dict[str, str] | None = None) -> str:
    """Run a command away from the checkout, with nothing in the environment that leads back to it."""
    env = {**clean_environment(), **(env or {})}
    run = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)
    assert run.returncode == 0, f"{' '.join(command)}\n{run.stdout}\n{run.stderr}"
    return run.stdout
