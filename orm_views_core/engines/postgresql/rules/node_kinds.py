"""What each kind of node in an expression does with what is below it. Pure.

The names are those of PostgreSQL 14 to 18. 14 and 15 shorten some.
"""

from __future__ import annotations

#: The newest major version of PostgreSQL whose node trees are known.
NEWEST = 18

#: The nodes that pick one of their arguments, or change only its type, with the fields that have these.
PICKING = {
    "RELABELTYPE": {"arg"},
    "COLLATEEXPR": {"arg"},
    "COLLATE": {"arg"},
    "COERCETODOMAIN": {"arg"},
    "CASEEXPR": {"args", "defresult"},
    "CASE": {"args", "defresult"},
    "CASEWHEN": {"result"},
    "WHEN": {"result"},
    "COALESCEEXPR": {"args"},
    "COALESCE": {"args"},
    "MINMAXEXPR": {"args"},
    "MINMAX": {"args"},
}

#: The nodes that compute their value from everything below them.
COMPUTING = frozenset(
    """
    AGGREF ARRAY ARRAYCOERCEEXPR ARRAYEXPR BOOLEANTEST BOOLEXPR CASETESTEXPR COERCETODOMAINVALUE COERCEVIAIO
    CONST CONVERTROWTYPEEXPR DISTINCTEXPR FUNCEXPR JSONBEHAVIOR JSONCONSTRUCTOREXPR JSONEXPR JSONFORMAT
    JSONISPREDICATE JSONRETURNING JSONTABLEPATH JSONTABLEPATHSCAN JSONTABLESIBLINGJOIN JSONVALUEEXPR
    NAMEDARGEXPR NEXTVALUEEXPR NULLTEST OPEXPR PARAM RANGETBLFUNCTION ROW ROWCOMPARE ROWCOMPAREEXPR ROWEXPR
    SCALARARRAYOPEXPR SETTODEFAULT SORTGROUPCLAUSE SQLVALUEFUNCTION SUBSCRIPTINGREF TABLEFUNC
    TABLESAMPLECLAUSE TARGETENTRY WINDOWFUNC XMLEXPR
    """.split()  # noqa: SIM905 - one name a line would fill a page
)

#: The fields that have the function of a node, and those that have its operator.
FUNCTIONS = ("funcid", "aggfnoid", "winfnoid", "opfuncid")
OPERATORS = ("opno",)

# enum RTEKind
RELATION, SUBQUERY, JOIN, FUNCTION, TABLEFUNC, VALUES, CTE, NAMED, RESULT, GROUP = range(10)
# enum SubLinkType
EXISTS, ALL, ANY, ROWCOMPARE, EXPR, MULTIEXPR, ARRAY = range(7)
# enum SetOperation
UNION, EXCEPT = 1, 3


class Unknown(Exception):  # noqa: N818 - it is no error of anybody: the view's lineage is given in another way
    """A stored SELECT has something that is not known here. The argument says what."""
