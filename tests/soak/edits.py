"""What an engineer does to classes: each edit takes three numbers that pick what it is done to.

An edit returns what it did, in words, or None when there was nothing to do it to. So any list of edits is a
history, whatever has been taken out of it, and hypothesis can shrink one that fails.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from .code import TYPES, Code, Column, View

T = TypeVar("T")
Edit = Callable[[Code, int, int, int], "str | None"]

MOST_VIEWS = 7


def pick(choices: Sequence[T], number: int) -> T | None:
    """Return one of some things, or None when there are none."""
    return choices[number % len(choices)] if choices else None


def add_view(code: Code, a: int, b: int, c: int) -> str | None:
    """Add a class that reads a table or one of the newest views."""
    if len(code.views) >= MOST_VIEWS:
        return None
    name = f"v{code.number()}"
    newest = [*code.tables, *code.views][::-1]
    view = View(name, materialised=bool(a % 2), sources=(newest[b % len(newest)],), star=c % 5 == 4)
    code.views[name] = view
    if not view.star:
        keys = [column.key for column in code.columns(view.sources[0])[1:]][:3]
        columns = tuple(
            _column(code, 0, key, TYPES[c % len(TYPES)] if i == 1 else "") for i, key in enumerate(keys)
        )
        code.change(name, columns=columns)
    return f"class {name} is written:\n{code.sql(code.views[name])}"


def _column(code: Code, source: int, of: int, type_: str = "", salt: int = 0) -> Column:
    key = code.number()
    return Column(key, f"c{key}", source, of, type_, salt)


def _view(code: Code, number: int, *, with_columns: bool = False) -> View | None:
    return pick([view for view in code.views.values() if view.columns or not with_columns], number)


def _change_column(code: Code, a: int, b: int, **values: object) -> tuple[View, Column] | None:
    view = _view(code, a, with_columns=True)
    if view is None:
        return None
    old = view.columns[b % len(view.columns)]
    new = replace(old, **values)  # type: ignore[arg-type]
    code.change(view.name, columns=tuple(new if column is old else column for column in view.columns))
    return view, old


def edit_expression(code: Code, a: int, b: int, c: int) -> str | None:
    """Compute a column in another way, of the same type if it was computed before."""
    view = _view(code, a, with_columns=True)
    if view is None:
        return None
    type_ = view.columns[b % len(view.columns)].type or TYPES[c % len(TYPES)]
    _, old = _change_column(code, a, b, salt=code.number(), type=type_) or (None, None)
    return f"{view.name}.{old.name if old else '?'} is computed in another way, as {type_}"


def change_type(code: Code, a: int, b: int, c: int) -> str | None:
    """Give a column another type; its name stays."""
    found = _change_column(code, a, b, type=TYPES[c % len(TYPES)])
    return found and f"{found[0].name}.{found[1].name} becomes {TYPES[c % len(TYPES)]}"


def rename_column(code: Code, a: int, b: int, c: int) -> str | None:
    """Rename a column, in its readers too."""
    name = f"c{code.number()}"
    found = _change_column(code, a, b, name=name)
    return found and f"{found[0].name}.{found[1].name} is renamed to {name}"


def add_column(code: Code, a: int, b: int, c: int) -> str | None:
    """Add a column, at the end or before the others."""
    view = _view(code, a)
    if view is None or view.star or len(view.columns) > 5:
        return None
    source = c % len(view.sources)
    of = pick(code.columns(view.sources[source]), b)
    assert of is not None
    new = _column(code, source, of.key, TYPES[b % len(TYPES)] if c % 2 else "")
    at_end = b % 3 > 0
    code.change(view.name, columns=(*view.columns, new) if at_end else (new, *view.columns))
    return f"{view.name} gets {new.name} {'at the end' if at_end else 'first'}"


def drop_column(code: Code, a: int, b: int, c: int) -> str | None:
    """Take a column out; its readers read the id instead."""
    view = _view(code, a, with_columns=True)
    if view is None:
        return None
    gone = view.columns[b % len(view.columns)]
    columns = tuple(column for column in view.columns if column is not gone)
    code.change(view.name, columns=columns, indexed=view.indexed - {gone.key})
    return f"{view.name} loses {gone.name}"


def leave_rows_out(code: Code, a: int, b: int, c: int) -> str | None:
    """Change which rows a view has."""
    view = _view(code, a)
    if view is None:
        return None
    code.change(view.name, leaves_out=(0, 3, 5, 7)[b % 4])
    return f"{view.name} leaves out every {(0, 3, 5, 7)[b % 4]}th row"


def change_kind(code: Code, a: int, b: int, c: int) -> str | None:
    """Materialise a plain view, or the other way round."""
    view = _view(code, a)
    if view is None:
        return None
    code.change(view.name, materialised=not view.materialised)
    return f"{view.name} becomes {'plain' if view.materialised else 'materialised'}"


def add_dependency(code: Code, a: int, b: int, c: int) -> str | None:
    """Join a second source and select a column of it."""
    view = _view(code, a)
    if view is None or view.star or len(view.sources) > 1:
        return None
    source = pick(code.readable_by(view.name), b)
    assert source is not None
    code.change(view.name, sources=(*view.sources, source))
    of = code.columns(source)[-1]
    code.change(view.name, columns=(*view.columns, _column(code, 1, of.key)))
    return f"{view.name} also reads {source}"


def remove_dependency(code: Code, a: int, b: int, c: int) -> str | None:
    """Drop a view's second source, or read a table instead of its first."""
    view = _view(code, a)
    if view is None:
        return None
    sources = view.sources[:1] if len(view.sources) > 1 else tuple(code.tables)[b % 2 : b % 2 + 1]
    code.change(view.name, sources=sources)
    return f"{view.name} reads {', '.join(sources)} instead of {', '.join(view.sources)}"


def drop_view(code: Code, a: int, b: int, c: int) -> str | None:
    """Delete a class; its readers read what it read first."""
    view = _view(code, a)
    if view is None or len(code.views) == 1:
        return None  # an empty registry is refused on purpose
    code.dropped[view.name] = code.views.pop(view.name)
    for reader in code.views.values():
        sources = tuple(view.sources[0] if source == view.name else source for source in reader.sources)
        code.change(reader.name, sources=sources)
    return f"class {view.name} is deleted"


def re_add_view(code: Code, a: int, b: int, c: int) -> str | None:
    """Bring a deleted class back under its name."""
    name = pick(list(code.dropped), a)
    if name is None or len(code.views) >= MOST_VIEWS:
        return None
    view = code.dropped.pop(name)
    table = next(iter(code.tables))
    sources = tuple(s if s in code.tables or s in code.views else table for s in view.sources)
    code.views[name] = replace(view, sources=sources)
    return f"class {name} is back:\n{code.sql(code.views[name])}"


def change_comment(code: Code, a: int, b: int, c: int) -> str | None:
    """Change a docstring."""
    view = _view(code, a)
    if view is None:
        return None
    code.change(view.name, comment=f"About {b}." if b % 3 else "")
    return f"the docstring of {view.name} changes"


def change_option(code: Code, a: int, b: int, c: int) -> str | None:
    """Set or unset security_barrier of a plain view."""
    view = _view(code, a)
    if view is None or view.materialised:
        return None
    code.change(view.name, barrier=not view.barrier)
    return f"security_barrier of {view.name} is {'taken away' if view.barrier else 'set'}"


def change_grant(code: Code, a: int, b: int, c: int) -> str | None:
    """Name a role in grant_select_to, or no longer."""
    view = _view(code, a)
    if view is None:
        return None
    code.change(view.name, granted=not view.granted)
    return f"grant_select_to of {view.name} {'loses' if view.granted else 'gets'} the role"


def change_index(code: Code, a: int, b: int, c: int) -> str | None:
    """Add an index to a materialised view's class, or take it out."""
    view = pick([v for v in code.views.values() if v.materialised and v.columns], a)
    if view is None:
        return None
    key = view.columns[b % len(view.columns)].key
    code.change(view.name, indexed=view.indexed ^ {key})
    return f"{view.name} {'loses' if key in view.indexed else 'gets'} an index"


EDITS: dict[str, Edit] = {
    edit.__name__: edit
    for edit in (
        edit_expression, change_type, rename_column, add_column, drop_column, leave_rows_out, change_kind,
        add_dependency, remove_dependency, drop_view, re_add_view, change_comment, change_option,
        change_grant, change_index, add_view,
    )
}  # fmt: skip
