"""What syncing costs, beside the package this one grew out of: `python -m tests.benchmarks`.

Everything is measured in one run, on one server, over the same tables and the same views: `project/` is the
Django project that every package gets, and only the import root differs. A measurement happens in a process
of its own (`worker.py`) on a fresh database (`server.py`); `scenarios.py` says what is measured, `runner.py`
takes turns between the packages, and `report.py` prints the table.
"""
