"""`make messages`: brings the German catalogs up to date with the code, and compiles them.

With `--check`, nothing is written, and what is missing is printed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from django.conf import settings

from tests.translations.catalogs import (
    PACKAGES,
    ROOT,
    compile_catalog,
    complaints,
    extract,
    missing_programs,
    path_of,
    read,
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.translations", description=__doc__)
    parser.add_argument("--check", action="store_true", help="Write nothing; fail if something is missing.")
    is_check = parser.parse_args().check
    if missing := missing_programs():
        sys.exit(f"{', '.join(missing)} of GNU gettext are missing: apt-get install gettext")
    settings.configure(LOCALE_PATHS=[])
    with tempfile.TemporaryDirectory() as directory:
        fresh = Path(directory).resolve()
        os.chdir(fresh)
        extract(fresh)
        os.chdir(ROOT)
        if not is_check:
            for package in PACKAGES:
                update(fresh, package)
        found = [line for package in PACKAGES for line in complaints(path_of(package, fresh), package)]
    print(*found, sep="\n", end="\n" if found else "")
    return bool(found)


def update(fresh: Path, package: str) -> None:
    """Write the catalog of a package, and compile it."""
    path = path_of(package)
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path_of(package, fresh), path)
    compile_catalog(path, path.with_suffix(".mo"))
    messages = read(path)
    done = sum(message.is_translated for message in messages)
    print(f"{package}: {done} of {len(messages)} messages are translated.")


if __name__ == "__main__":
    sys.exit(main())
