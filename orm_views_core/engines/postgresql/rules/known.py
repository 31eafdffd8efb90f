"""The SELECTs that this process has read before.

Reading a rule takes some tenths of a millisecond to some milliseconds, and the pages ask about the same rules
again and again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable

from .catalog import functions_of
from .selects import Select, read_select
from .stored import FIRST_USER_OID, Stored

#: So many SELECTs are kept at most.
_MOST = 20_000
_known: dict[Hashable, Select] = {}


def read_selects(stored: Stored) -> dict[int, Select]:
    """Return the SELECTs of all rules that were read of the catalogs, by oid.

    A SELECT is known by everything that it is made from: the text of its rule, and what is known of the
    functions and operators in it.
    """
    functions = stored.functions
    # PostgreSQL's own functions are the same in every database of a version.
    opaque = {oid: name for oid, name in functions.opaque.items() if oid >= FIRST_USER_OID}
    shared = stored.version, frozenset(functions.operators.items()), frozenset(functions.safe)
    found: dict[int, Select] = {}
    for oid, rule in stored.rules.items():
        called = functions_of(rule.text) & opaque.keys() if opaque else set()
        key = (
            hashlib.blake2b(rule.text.encode("utf-8", "surrogatepass")).digest(),
            rule.reads,
            len(stored.relations[oid].columns),
            frozenset((each, opaque[each]) for each in called),
            shared,
        )
        found[oid] = select = _known.get(key) or read_select(stored, oid)
        if len(_known) >= _MOST:
            _known.clear()
        _known[key] = select
    return found
