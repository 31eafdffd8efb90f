"""The options of a view class: its attributes, and where it is written."""

from __future__ import annotations

from pathlib import Path

from django.utils.functional import classproperty

from orm_views_core.views import PostgresViewFromSQL, options
from orm_views_core.views.options import ViewOptions, declared, find_class_statement


def test_the_class_statement_of_a_view_is_found_while_it_is_executed():
    class Found(PostgresViewFromSQL):
        """With a docstring."""

    source = ViewOptions(Found).source
    assert source is not None
    assert Path(source.file) == Path(__file__)
    assert "class Found(" in Path(__file__).read_text().splitlines()[source.line - 1]


def test_finding_the_lines_of_many_class_statements_reads_the_lines_of_their_module_once(monkeypatch):
    """``frame.f_lineno`` would read all lines before each one."""
    asked: list[str] = []

    class Code:
        """Code that counts how often its lines are read."""

        co_firstlineno = 1

        def co_lines(self):
            asked.append("lines")
            return iter([(0, 10, 1), (10, 20, 5), (20, 30, None), (30, 40, 9)])

    monkeypatch.setattr(options, "_lines", (None, [], []))
    code = Code()
    assert [options._line(code, instruction) for instruction in (0, 8, 10, 18, 20, 38)] == [1, 1, 5, 5, 1, 9]
    assert asked == ["lines"]
    options._line(Code(), 0)
    assert asked == ["lines"] * 2


def test_a_module_that_is_not_running_has_no_class_statement():
    assert find_class_statement("nowhere.to.be.found") is None


class FieldDescriptor:
    """As Django's: on the class it gives itself."""

    field = "a model field"

    def __get__(self, instance, owner):
        return self


def test_a_declaration_is_found_behind_a_field_of_its_name():
    class Base:
        prefix = "said"

    class View(Base):
        prefix = FieldDescriptor()

    assert declared(View, "prefix") == "said"


def test_nothing_but_fields_gives_the_default():
    class View:
        prefix = FieldDescriptor()

    assert declared(View, "prefix") is None
    assert declared(View, "prefix", "default") == "default"
    assert declared(View, "not there", "default") == "default"


def test_a_classproperty_is_asked_with_the_class_that_inherits_it():
    class Base:
        @classproperty
        def name(cls):
            return cls.__name__

    class View(Base):
        pass

    assert declared(View, "name") == "View"


def test_the_nearest_declaration_counts_even_when_it_is_none():
    class Base:
        prefix = "said"

    class View(Base):
        prefix = None

    assert declared(View, "prefix", "default") is None


def test_an_option_is_read_once_and_not_before_it_is_needed():
    class View:
        read = 0

        @classproperty
        def schema(cls):
            cls.read += 1
            return "reporting"

    options = ViewOptions(View)
    assert View.read == 0
    assert (options.schema, options.schema, options.database) == ("reporting", "reporting", "default")
    assert View.read == 1
    View.schema = "other"
    assert ViewOptions(View).schema == "other"
