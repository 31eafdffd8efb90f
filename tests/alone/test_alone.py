"""Core works where nothing is installed but Django and one driver, and the admin says what it lacks."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.test import modify_settings

import orm_views_admin
from orm_views_admin.apps import OrmViewsAdminConfig
from tests.environment import clean_environment
from tests.public.facts import ROOT

from .blocking import PAGES

_KEYS = ("ENGINE", "NAME", "HOST", "PORT", "USER", "PASSWORD", "OPTIONS")


@pytest.mark.django_db(transaction=True, databases=["default"])
@pytest.mark.parametrize("driver", ["psycopg2", "psycopg"])
def test_views_are_synced_refreshed_shown_and_read_with_one_driver_only(driver: str) -> None:
    if find_spec(driver) is None:
        pytest.skip(f"{driver} is not installed")
    others = {"psycopg2", "psycopg"} - {driver}
    settings = {key: connections["default"].settings_dict[key] for key in _KEYS}
    done = subprocess.run(
        [sys.executable, "-m", "tests.alone", *PAGES, *others],
        cwd=ROOT,
        env={**clean_environment(), "DATABASE": json.dumps(settings), "PYTHONWARNINGS": "error"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with connections["default"].cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS alone CASCADE")
    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    assert "[(1, 10), (2, 20)]" in lines
    assert "copied 60" in lines
    assert lines[-1] == driver
    assert sum("synced" in line for line in lines) >= 3
    assert any("alone.totals" in line for line in lines)


@pytest.mark.parametrize("missing", [["pygments"], ["django_tables2", "sqlparse"]], ids=" and ".join)
def test_the_admin_names_what_is_not_installed(missing: list[str], monkeypatch: Any) -> None:
    for name in missing:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(
        ImproperlyConfigured, match=r"Or take 'orm_views_admin' out of INSTALLED_APPS"
    ) as raised:
        OrmViewsAdminConfig("orm_views_admin", orm_views_admin)
    _, _, advice = str(raised.value).partition("Run: pip install ")
    named = set(advice.partition(".")[0].split())
    assert named >= {{"pygments": "Pygments"}.get(name, name.replace("_", "-")) for name in missing}


def test_the_admin_says_that_it_needs_that_of_django() -> None:
    if not apps.is_installed("orm_views_admin"):
        pytest.skip("the admin is left out here")
    without = modify_settings(INSTALLED_APPS={"remove": "django.contrib.admin"})
    with pytest.raises(ImproperlyConfigured, match=r"'django\.contrib\.admin' to"), without:
        raise AssertionError("the apps were loaded")
