"""The projects with many views, and the process that sets one up. Nothing is measured here."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.benchmarks.packages import ROOT
from tests.benchmarks.scale.process import Task
from tests.benchmarks.scale.project import Project

COUNT = """
from django.apps import apps
from tests.benchmarks.scale import process

process.configure(TASK)
from orm_views_core.views.registry import registry
models = [model.__name__ for model in apps.get_app_config("scaled").get_models()]
views = registry.views()
print(len(models), len(views), sum(hasattr(view, "get_refresh_sql") for view in views))
"""


@pytest.mark.parametrize(
    ("project", "wanted"),
    [
        (Project("readable", 20), [22, 20, 0]),
        (Project("readable", 20, some_stored=True), [22, 20, 2]),
        (Project("plain", 20), [2, 20, 0]),
        (Project("models", 20), [22, 0, 0]),
    ],
    ids=str,
)
def test_a_project_has_what_it_says(project: Project, wanted: list[int], tmp_path: Path) -> None:
    project.write(tmp_path)
    task = asdict(Task("", str(tmp_path), "", has_views=project.kind != "models"))
    answer = subprocess.run(
        [sys.executable, "-c", COUNT.replace("TASK", repr(task))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert [int(number) for number in answer.stdout.split()] == wanted


def test_a_process_answers_with_its_time_and_memory(tmp_path: Path) -> None:
    Project("readable", 3).write(tmp_path)
    answer = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.scale.process"],
        cwd=ROOT,
        input=json.dumps(asdict(Task("", str(tmp_path), ""))),
        capture_output=True,
        text=True,
        check=True,
    )
    figures = json.loads(answer.stdout)
    assert figures["processor"] > 0.05
    assert figures["memory"] > 10
