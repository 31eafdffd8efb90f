"""An export in a process of its own, and the COPY that it is held against."""

from __future__ import annotations

import tempfile
from importlib import import_module
from pathlib import Path
from statistics import median
from time import perf_counter

#: The formats, and what is imported before memory is measured.
FORMS = {
    "csv": (),
    "jsonl": (),
    "xlsx": ("openpyxl", "openpyxl.writer.excel", "openpyxl.worksheet._writer"),
    "parquet": ("pyarrow", "pyarrow.compute", "pyarrow.parquet"),
}
ROWS = 1_000_000
EXPORT, COPY, MEMORY = "export", "COPY … TO STDOUT (FORMAT csv) of the same query", "memory"


def export(form: str, times: int) -> dict[str, float]:
    """Export the rows of a view; by turns with a bare COPY if several times.

    Returns:
        the seconds of both, and the MB that the first export took beyond what the process had.
    """
    from django.conf import settings

    from orm_views_admin.addresses import ViewAddress
    from orm_views_admin.files.request import ExportRequest
    from orm_views_admin.models import Run
    from orm_views_admin.runs import start_export
    from orm_views_core.names import ViewName

    from .actions import root

    for module in ("orm_views_admin.files.formats", *FORMS[form]):
        import_module(module)
    user, address = root(), ViewAddress("default", ViewName("views", "view11"))
    figures: dict[str, list[float]] = {EXPORT: [], COPY: []}
    with tempfile.TemporaryDirectory() as folder:
        settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "inline", "EXPORT_ROWS": ROWS + 1, "EXPORT_TIMEOUT": 3600}
        settings.STORAGES = {
            **settings.STORAGES,
            "orm_views_exports": {
                "BACKEND": "django.core.files.storage.FileSystemStorage",
                "OPTIONS": {"location": folder},
            },
        }
        Path("/proc/self/clear_refs").write_text("5")  # the peak of memory begins anew
        idle = _memory("VmRSS")
        for number in range(times):
            start = perf_counter()
            run = start_export(user, address, ExportRequest(form))
            figures[EXPORT].append(perf_counter() - start)
            run.refresh_from_db()
            assert (run.state, run.rows_after) == (Run.State.SUCCEEDED, ROWS), run.error
            if not number:
                peak = _memory("VmHWM")
            if times > 1:
                start = perf_counter()
                _copy(Path(folder) / "bare.csv", address.name)
                figures[COPY].append(perf_counter() - start)
    return {**{name: median(each) for name, each in figures.items() if each}, MEMORY: peak - idle}


def _copy(path: Path, name: object) -> None:
    from django.db import connections

    with connections["default"].cursor() as cursor, path.open("wb") as file:
        cursor.copy_expert(f"COPY (SELECT * FROM {name}) TO STDOUT (FORMAT csv)", file)


def _memory(what: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    (found,) = (line.split()[1] for line in lines if line.startswith(f"{what}:"))
    return int(found) / 1024
