"""The table of the package says how many behaviours of each peer there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import tests.peers

TABLE = re.findall(r"\| +(\d+) \| `(test_\w+\.py)`", tests.peers.__doc__ or "")


@pytest.mark.parametrize(("count", "module"), TABLE)
def test_the_table_counts_the_behaviours(count, module):
    source = (Path(__file__).parent / module).read_text()
    assert len(re.findall(r"^def test_", source, re.MULTILINE)) == int(count)


def test_every_peer_is_in_the_table():
    modules = {path.name for path in Path(__file__).parent.glob("test_*.py")} - {Path(__file__).name}
    assert {module for _, module in TABLE} == modules
