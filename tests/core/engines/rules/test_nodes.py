"""The text of a node tree is read by position: names may look like anything."""

import pytest

from orm_views_core.engines.postgresql.rules.nodes import Malformed, parse


def test_a_node_has_the_fields_that_are_read():
    (query,) = parse(
        "({QUERY :commandType 1 :targetList ({TARGETENTRY :expr {VAR :varno 3 :varattno 2 :vartype 25 "
        ":vartypmod -1 :varnullingrels (b 1 2) :varlevelsup 0 :location 7} :resno 1 :resname email :resjunk "
        "false}) :hasDistinctOn false :rtable <>})"
    )
    (target,) = query.nodes("targetList")
    variable = target.node("expr")
    assert (query.name, target.name, variable.name) == ("QUERY", "TARGETENTRY", "VAR")
    assert (variable.number("varno"), variable.number("varattno"), target.number("resno")) == (3, 2, 1)
    assert target.flag("resjunk") is False
    assert query.node("rtable") is None
    assert query.nodes("rtable") == []
    assert "location" not in variable.fields


@pytest.mark.parametrize(
    "written",
    [
        ":varno",
        ":ctename",
        ":resname",
        r"\{",
        r"\}",
        r"\(",
        r"\)",
        r"a\ b",
        r"\\",
        r"\<>",
        '""',
        "[",
        "]",
        "é",
        r"a\nb",
    ],
)
def test_names_that_look_like_something_else(written):
    (node,) = parse(f"({{CTE :ctename {written} :ctelevelsup 4 :resname {written} :varno 5}})")
    assert (node.number("ctelevelsup"), node.number("varno")) == (4, 5)


@pytest.mark.parametrize(
    ("written", "name"), [(r"a\ b", "a b"), (r"\\", "\\"), (r"\<>", "<>"), ('""', ""), (":varno", ":varno")]
)
def test_names_are_read_as_they_are(written, name):
    (node,) = parse(f"({{CTE :ctename {written}}})")
    assert node.text("ctename") == name


def test_the_bytes_of_a_constant_are_passed_over():
    (node,) = parse(
        "({CONST :consttype 25 :constisnull false :constvalue 8 [ 32 0 -1 123 40 125 41 58 ] :relid 9})"
    )
    assert (node.text("consttype"), node.number("relid")) == ("25", 9)


def test_null():
    assert parse("<>") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "(",
        ")",
        "({QUERY :rtable (})",
        "({QUERY :rtable 1 2})",
        "({QUERY rtable 1})",
        "({QUERY :rtable})",
        "({QUERY :rtable 1)",
        "({QUERY :rtable 1}) {",
        "(:varno 1)",
        "no tree",
    ],
)
def test_anything_else_is_malformed(text):
    with pytest.raises(Malformed):
        parse(text)


def test_a_number_that_is_none():
    (node,) = parse("({VAR :varno x})")
    with pytest.raises(Malformed, match=r"VAR\.varno is no number"):
        node.number("varno")
