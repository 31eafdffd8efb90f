#!/usr/bin/env python
"""The demonstration's command line; runs from any directory of the checkout."""

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    checkout = str(Path(__file__).resolve().parents[2])
    # Python put this file's own directory first, where `settings` and `postgres` would be top-level names.
    sys.path[0] = checkout
    # The autoreloader starts a second interpreter, which has to find the same packages.
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [checkout, os.environ.get("PYTHONPATH")]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.demo.owner_settings")

    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
