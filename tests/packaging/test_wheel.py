"""What a user installs: the built wheel, in an environment of its own, outside this checkout."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest
from django.db import connections

CHECKOUT = Path(__file__).resolve().parents[2]
PROJECT = Path(__file__).with_name("project")


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


def test_the_source_distribution_holds_what_a_contributor_needs(wheel):
    with tarfile.open(next(wheel.parent.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    documents = {path.relative_to(CHECKOUT).as_posix() for path in CHECKOUT.glob("docs/*.md")}
    assert documents <= names
    assert {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE", "Makefile"} <= names


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


def _database(test_name: str) -> dict[str, object]:
    """The settings of a test database of another name on the server that the tests use."""
    settings = connections["default"].settings_dict
    keys = ("ENGINE", "HOST", "PORT", "USER", "PASSWORD", "OPTIONS")
    return {**{key: settings[key] for key in keys}, "NAME": "postgres", "TEST": {"NAME": test_name}}


def _run(*command: str, cwd: Path, env: dict[str, str] | None = None) -> str:
    """Run a command away from the checkout, with nothing in the environment that leads back to it."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DJANGO"))}
    run = subprocess.run(command, cwd=cwd, env={**clean, **(env or {})}, capture_output=True, text=True)
    assert run.returncode == 0, f"{' '.join(command)}\n{run.stdout}\n{run.stderr}"
    return run.stdout
