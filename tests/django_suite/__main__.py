"""``python -m tests.django_suite FOLDER LABEL …``: run tests of Django's source over views."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from pathlib import Path


def main() -> int:
    """Run the tests and write what came of them to ``DJANGO_SUITE_REPORT``."""
    folder = Path(sys.argv[1]).resolve() / "tests"
    labels = sys.argv[2:]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.django_suite.settings")
    os.environ.setdefault("DJANGO_SUITE_REPORT", str(Path.cwd() / "django_suite.json"))
    os.environ["TMPDIR"] = tempfile.mkdtemp(prefix="django_suite_")
    tempfile.tempdir = os.environ["TMPDIR"]
    sys.path.insert(0, str(folder))
    os.chdir(folder)
    import runtests
    from django.conf import settings

    runtests.ALWAYS_INSTALLED_APPS.append("orm_views_core")
    labels, _ = runtests.setup_run_tests(1, None, None, labels)
    # All columns are wanted here. The tables that refer to views have been made by other models.
    settings.SILENCED_SYSTEM_CHECKS += ["orm_views_core.W002", "orm_views_core.E010", "orm_views_core.E011"]
    settings.MIGRATION_MODULES |= dict.fromkeys(map(runtests.get_label_module, labels))
    runner = importlib.import_module("tests.django_suite.runner")
    if not os.environ.get("DJANGO_SUITE_TABLES"):
        runner.install()
    return int(bool(runner.ViewRunner(verbosity=1, interactive=False).run_tests(labels)))


if __name__ == "__main__":
    sys.exit(main())
