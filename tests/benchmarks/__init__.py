"""What syncing costs, beside other packages that sync views: `python -m tests.benchmarks`.

Everything is measured in one run, on one server, over the same tables and the same views: `project/` is the
Django project that every package gets, and says once what the views are. A measurement is one of
`actions.py`, in a process of its own (`worker.py`) and a database of the package's own (`bench.py` and
`server.py`). `scenarios.py` says what is measured and `targets.py` what it is to reach, `runner.py` takes
turns between the packages, and `report.py` prints the table. `readers.py` reads meanwhile, where that is the
question.
"""
