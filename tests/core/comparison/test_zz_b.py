import random
from collections import Counter
import pytest
from django.db import connection
from orm_views_core.comparison import Change, comparing, statements
from tests.core.comparison.changing import change, texts, compare, declare
from orm_views_core.sync import sync_views
from orm_views_core.output.comparisons import comparison_lines
pytestmark = pytest.mark.django_db
from tests.core.comparison.test_zz_eyes import show, show_, slow

def test_key_not_unique_one_side(show_):
    f = change("SELECT (n%2)::text AS a, n AS b FROM generate_series(1, 300) n", "SELECT 'zz'::text AS a, n AS b FROM generate_series(1, 3) n", key=["a"])
    show(f)
    for s in f.samples: print(s.change, texts(s.old), texts(s.new))
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("thin", [False, True])
def test_fuzz(show_, seed, thin, monkeypatch):
    if thin:
        monkeypatch.setattr(statements, "MOST_KEYS", 5)
        monkeypatch.setattr(comparing, "MOST_KEYS", 5)
    r = random.Random(seed)
    vals = {"i": ["1","2","3","NULL"], "n": ["1","1.0","1.00","'NaN'","NULL","-0.0","0"], "f": ["'-0'","0","'NaN'","NULL","1e300"], "t": ["'a'","'A'","''","NULL","'a '"], "c": ["'a'","'a '","''","NULL"], "j": ["'{}'","'{ }'","NULL","'null'"], "ar": ["'{1,2}'","'{}'","NULL","'{NULL}'"], "iv": ["'1 day'","'24:00'","NULL"]}
    types = dict(i="int", n="numeric", f="float8", t="text", c="char(3)", j="jsonb", ar="int[]", iv="interval")
    def mk(k, ids):
        rows = [(str(i), *[r.choice(v) for v in vals.values()]) for i in ids]
        return rows
    ids = [r.randrange(40) for _ in range(30)] if seed % 2 else r.sample(range(40), 30)
    b = mk(0, ids); a = [x if r.random() < .7 else (x[0], *[r.choice(v) for v in vals.values()]) for x in b if r.random() < .9] + mk(0, r.sample(range(40, 60), 5))
    for t, rows in (("before", b), ("after", a)):
        show_(f"CREATE TABLE {t} (id int, {', '.join(f'{k} {v}' for k, v in types.items())})")
        show_(f"INSERT INTO {t} VALUES " + ", ".join(f"({', '.join(x)})" for x in rows))
    f = change("SELECT * FROM before", "SELECT * FROM after")
    canon = {"n": lambda v: {"1.0":"1","1.00":"1","-0.0":"0"}.get(v,v), "f": lambda v: {"'-0'":"0"}.get(v,v), "c": lambda v: {"'a '":"'a'"}.get(v,v), "j": lambda v: {"'{ }'":"'{}'"}.get(v,v), "iv": lambda v: {"'24:00'":"'1 day'"}.get(v,v)}
    cn = lambda x: (x[0], *[canon.get(k, lambda v: v)(v) for k, v in zip(types, x[1:])])
    B, A = list(map(cn, b)), list(map(cn, a))
    if f.key:
        o, n = {x[0]: x for x in B}, {x[0]: x for x in A}
        ch = [k for k in o if k in n and o[k] != n[k]]
        assert f.key == ("id",)
        assert (f.counts.added, f.counts.removed, f.counts.changed) == (len(n.keys()-o), len(o.keys()-n), len(ch))
        by = {c: sum(o[k][i] != n[k][i] for k in ch) for i, c in enumerate(["id", *types])}
        assert dict(f.counts.by_column) == {c: v for c, v in by.items() if v}
        assert sum(s.change is Change.CHANGED for s in f.samples) == min(20, len(ch))
    else:
        assert (f.counts.added, f.counts.removed) == (sum((Counter(A)-Counter(B)).values()), sum((Counter(B)-Counter(A)).values())), f.why_no_key
    print(f.key, f.counts, f.why_no_key)
def test_json_by_text(show_):
    pass
def test_chain(show_):
    show_("CREATE TABLE src (id int, v int); INSERT INTO src SELECT n, n FROM generate_series(1,10) n")
    def decl(x):
        declare("A", f"SELECT id, v{x} AS v FROM src", stored=True)
        declare("B", "SELECT id, v * 2 AS v FROM views.a", stored=True, depends_on=["views.a"]) 
        declare("C", "SELECT sum(v) AS v FROM views.b", depends_on=["views.b"])
    decl(""); sync_views()
    show_("INSERT INTO src VALUES (11, 11)")
    decl("+ 1")
    for stored in (False, True):
        for f in compare(stored=stored).values():
            show(f)
            for s in f.samples: print(s.change.value, texts(s.old), texts(s.new))
def test_escape(show_):
    n = '"\x1b[31m"'
    declare("Shown", f"SELECT n AS {n} FROM generate_series(1,4) n"); sync_views()
    declare("Shown", f"SELECT n % 2 AS {n} FROM generate_series(1,4) n")
    from orm_views_core.sync import plan_views
    from orm_views_core.comparison import compare_views
    (plan,) = plan_views(["default"])
    c = compare_views(plan, key=["\x1b[31m"])
    for l in comparison_lines(c): print(repr(l))
def test_domain_collations(show_):
    show_('CREATE DOMAIN code AS text COLLATE "C"; CREATE DOMAIN code2 AS text COLLATE "POSIX"')
    show(change("SELECT n AS id, ('a' || n)::code AS b FROM generate_series(1, 30) n", "SELECT n AS id, ('a' || n)::code2 AS b FROM generate_series(1, 30) n"))
