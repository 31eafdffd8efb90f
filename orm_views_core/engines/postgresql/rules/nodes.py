"""Parses the text of a node tree, the form in which PostgreSQL stores queries and expressions. Pure.

The form is that of ``outfuncs.c``: ``{NAME :field value :field value}``, where a value is a node, a list in
parentheses, a token or ``<>`` for NULL. A backslash stands before a space, a bracket, a brace or a backslash
of a token. Colons are not marked: a column may be called ``:varno``. So labels and values are told apart by
their position, never by how they look: each match of the pattern ends where a label or an element of a list
begins, and no element of a list begins with a colon.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from orm_views_core.sentences import says

#: The fields with a number, a name or a flag that are read. The others are passed over within the regular
#: expression, because half of the time of parsing would be theirs.
_READ = """
    aggfnoid aggtype all array_typeid casetype coalescetype consttype ctelevelsup ctename cterecursive
    fieldnum funccolcount funcid funcordinality funcresulttype funcretset hasDistinctOn hasTargetSRFs
    minmaxtype op opfuncid opno opresulttype opretset relid resjunk resno resorigcol resorigtbl
    ressortgroupref resulttype rtekind rtindex subLinkType tleSortGroupRef varattno varlevelsup varno
    vartype winfnoid winref wintype
    """.split()  # noqa: SIM905 - one name a line would fill a page
_TEXT = r"(?:[^\s(){}\\]|\\.)+(?=[\s(){}]|$)"
_BYTES = r" \[[ \d-]*\]"  # a constant: its length, and then its bytes
_NAMES = rf"\{{ALIAS :aliasname {_TEXT} :colnames (?:<>|\((?:{_TEXT} ?)*\))\}}"
_SKIPPED = rf":(?!(?:{'|'.join(_READ)}) )\w+ (?:{_TEXT}(?:{_BYTES})?|\(b[ \d]*\)|{_NAMES})(?=[ }}]) ?"
_PATTERN = re.compile(
    rf" ?(?:{_SKIPPED})*(?::(?P<field>\w+) )?"
    rf"(?:\{{(?P<node>\w+)|(?P<list>\()|(?P<end>[)}}])|(?P<text>{_TEXT}))",
    re.DOTALL,
)
# Passes over nothing, for whoever needs all fields.
_WHOLE = re.compile(
    rf" ?(?::(?P<field>\w+) )?"
    rf"(?:\{{(?P<node>\w+)|(?P<list>\()|(?P<end>[)}}])|(?P<text>{_TEXT}(?:{_BYTES})?))",
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Malformed(ValueError):  # noqa: N818 - told from other errors of values
    """A text is no node tree in the known form."""


class Node:
    """A node: its name, and those of its fields that are read."""

    __slots__ = ("fields", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.fields: dict[str, Any] = {}

    def node(self, field: str) -> Node | None:
        """Return the node in a field; None when the field is missing or NULL."""
        value = self.fields.get(field)
        return value if isinstance(value, Node) else None

    def nodes(self, field: str) -> list[Any]:
        """Return the list in a field; an empty one when the field is missing or NULL."""
        value = self.fields.get(field)
        return value if isinstance(value, list) else []

    def number(self, field: str) -> int:
        """Return the number in a field; 0 when the field is missing.

        Raises:
            Malformed: the field has something else.
        """
        try:
            return int(self.fields.get(field, "0"))
        except (TypeError, ValueError):
            raise Malformed(says("%(name)s.%(field)s is no number", name=self.name, field=field)) from None

    def flag(self, field: str) -> bool:
        """Return whether a field is true; False when it is missing."""
        return self.fields.get(field) == "true"

    def text(self, field: str) -> str | None:
        """Return the text in a field; None when it is missing or NULL."""
        value = self.fields.get(field)
        if not isinstance(value, str):
            return None
        return "" if value == '""' else _ESCAPED.sub(r"\1", value)

    def children(self) -> Iterator[Node]:
        """Yield the nodes in its fields and in their lists."""
        pending = [value for value in self.fields.values() if not isinstance(value, str)]
        while pending:
            value = pending.pop()
            if isinstance(value, Node):
                yield value
            elif isinstance(value, list):
                pending += value


def parse(text: str, *, whole: bool = False) -> Any:
    """Return what a text stands for: a node, a list, or None for NULL. Tokens stay as they are written.

    Args:
        text: the text.
        whole: whether to read all fields. It takes twice as long.

    Raises:
        Malformed: it is not in the known form.
    """
    root: list[Any] = []
    container: list[Any] | Node = root
    outer: list[list[Any] | Node] = []
    position = 0
    for match in (_WHOLE if whole else _PATTERN).finditer(text):
        if match.start() != position:
            break
        position = match.end()
        field, node, opened, end, written = match.groups()
        if end is not None:
            if (end == "}") != (type(container) is Node) or field is not None or not outer:
                raise Malformed(says("%(end)r at position %(start)s", end=end, start=match.start()))
            container = outer.pop()
            continue
        if node is not None:
            value: Any = Node(node)
        elif opened is not None:
            value = []
        else:
            value = None if written == "<>" else written
        if field is None:
            if not isinstance(container, list):
                raise Malformed(says("no label at position %(start)s", start=match.start()))
            container.append(value)
        else:
            if type(container) is not Node:
                raise Malformed(says("a label at position %(start)s", start=match.start()))
            container.fields[field] = value
        if written is None:
            outer.append(container)
            container = value
    if position != len(text) or outer or len(root) != 1:
        raise Malformed(says("nothing readable after position %(position)s", position=position))
    return root[0]
