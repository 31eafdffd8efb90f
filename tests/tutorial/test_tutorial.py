"""The tutorial is right, and a page that is wrong in one line is found out."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
from django.db import connections

from .__main__ import PAGE, borrowed, find_psql, variables
from .page import Command, File, Visit, WrongPageError, read
from .rules import DATABASES, ROLES, Replacements, difference
from .walk import Walk, free_port
from .workplace import workplace


@pytest.fixture
def follow() -> Callable[[str], None]:
    """A function that goes through a page, with the environment and the server of the tests."""
    find_psql()
    replacements = Replacements(
        server=variables(connections["default"].settings_dict),
        port=free_port(),
        borrowed=borrowed(sys.executable),
    )

    def go(text: str) -> None:
        with workplace(sys.executable, replacements.server, DATABASES, ROLES) as (directory, shell):
            Walk(directory, shell, replacements).along(read(text))

    return go


def test_the_tutorial_works_from_top_to_bottom(follow):
    text = PAGE.read_text()
    assert {type(part) for part in read(text)} == {Command, File, Visit}
    follow(text)


SMALL = """
```console
$ export PGHOST=127.0.0.1
$ export WHAT="a line"
```

```python
# there/print_it.py
class Printed:
    words = "nothing"
```

```python
# there/print_it.py, in the place of Printed
class Printed:
    words = "first\\nsecond\\nin 0.012s"
```

```python
# there/print_it.py, at the end
print(Printed.words)
```

```console
$ python there/print_it.py
first
…
in 0.999s
$ cd there
$ ls && echo $WHAT
print_it.py
a line
$ psql postgres -c "SELECT nothing"
ERROR:  column "nothing" does not exist
…
```
"""


def test_a_page_may_leave_lines_and_durations_open(follow):
    assert len(list(read(SMALL))) == 9
    follow(SMALL)


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ("first\n…", "second\n…", "line 25: `python there/print_it.py`\nThe page shows:\nsecond"),
        ("a line\n$ psql", "another line\n$ psql", "another line"),
        ("print(Printed.words)", "print(Printed.word)", "ended with 1"),
        ("cd there", "cd elsewhere", "ended with 1"),
        ("of Printed\n", "of Painted\n", "there is no Painted in there/print_it.py"),
        (
            "# there/print_it.py, at the end",
            "# there/printed.py, at the end",
            "there is no there/printed.py yet",
        ),
        ("SELECT nothing", "SELECT 1", "ended with 0"),
        ("# there/print_it.py\n", "print()\n", "a block is a console, or begins with"),
        ("$ python there/print_it.py\nfirst", "first", "has to begin with a command"),
    ],
)
def test_a_wrong_line_is_found(right, wrong, complaint, follow):
    assert SMALL.count(right) == 1
    with pytest.raises(WrongPageError) as raised:
        follow(SMALL.replace(right, wrong))
    assert complaint in str(raised.value)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        (["a", "b"], "a\n"),
        (["a"], "a\nb\n"),
        (["a", "…", "c"], "a\nb\n"),
        (["in 0.1s"], "in 0.2s"),
        (["a.c"], "abc"),
    ],
)
def test_other_lines_are_a_difference(shown, printed):
    assert difference(shown, printed)
    assert not difference(shown, "\n".join(shown))
