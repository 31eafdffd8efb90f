import random
from collections import Counter
import pytest
from django.db import connection
from orm_views_core.comparison import Change, comparing, statements
from tests.core.comparison.changing import change, texts, compare, declare
from orm_views_core.sync import sync_views
pytestmark = pytest.mark.django_db

def show(found):
    print(found.name, found.key, found.counts, found.why_not, found.why_no_key, found.unrepeatable, found.repeats, len(found.samples), found.is_estimate)
    for c in found.columns:
        print("   ", c.name, c.old and c.old.type, c.new and c.new.type, c.by_text, c.is_retyped)

@pytest.fixture
def show_(registered, execute): return execute

def test_dup_samples(show_):
    show(change("SELECT 'x' AS a, n AS b FROM generate_series(1, 3000) n", "SELECT 'x'::text AS a, n AS b FROM generate_series(1, 3000) n WHERE false"))
def test_dup_key_option(show_):
    show(change("SELECT n AS a, n AS b FROM generate_series(1, 30) n", "SELECT n AS a, n+1 AS b FROM generate_series(1, 30) n", key=["a", "a"]))
def test_domain_collation(show_):
    show_('CREATE DOMAIN code AS text COLLATE "C"')
    show(change("SELECT n AS id, ('a' || n)::code AS b FROM generate_series(1, 30) n", "SELECT n AS id, ('a' || n)::text AS b FROM generate_series(1, 30) n"))
def test_domain_collation_whole(show_):
    show_('CREATE DOMAIN code AS text COLLATE "C"')
    show(change("SELECT 1 AS id, ('a' || n % 3)::code AS b FROM generate_series(1, 30) n", "SELECT 1 AS id, ('a' || n % 4)::text AS b FROM generate_series(1, 30) n"))
def test_thinned(show_, monkeypatch):
    monkeypatch.setattr(statements, "MOST_KEYS", 5)
    monkeypatch.setattr(comparing, "MOST_KEYS", 5)
    show(change("""SELECT ('a' || n) COLLATE "C" AS a, ('a' || n) COLLATE "POSIX" AS b, n AS x FROM generate_series(1, 30) n""", """SELECT ('a' || n) COLLATE "C" AS a, ('a' || n) COLLATE "POSIX" AS b, n+1 AS x FROM generate_series(1, 30) n""", key=["a", "b"]))
def slow(monkeypatch):
    from orm_views_core.comparison.comparing import _Comparing
    from orm_views_core.comparison.running import TooSlow
    original = _Comparing._run
    def run(self, sides, pairs, key, part, seconds):
        if not part.is_sample: raise TooSlow
        return original(self, sides, pairs, key, part, seconds)
    monkeypatch.setattr(_Comparing, "_run", run)
def test_many_by_text(show_, monkeypatch):
    slow(monkeypatch)
    cols = ", ".join(f"n AS c{i}" for i in range(120))
    f = change(f"SELECT 1::money AS m, {cols} FROM generate_series(1, 30) n, generate_series(1,2) m", f"SELECT 1::money AS m, {cols} FROM generate_series(1, 31) n, generate_series(1,2) m")
    print(f.name, f.key, f.counts, f.why_not, f.is_estimate)
@pytest.mark.parametrize("n", [1600, 700])
def test_1600(show_, n):
    cols = ", ".join(f"n + {i} AS c{i}" for i in range(n))
    f = change(f"SELECT {cols} FROM generate_series(1, 30) n", f"SELECT {cols} FROM generate_series(2, 31) n")
    print(f.name, f.key, f.counts, f.why_not, f.is_estimate, f.repeats)
    f = change(f"SELECT {cols} FROM generate_series(1, 30) n, generate_series(1,2)", f"SELECT {cols} FROM generate_series(2, 31) n, generate_series(1,2)")
    print(f.name, f.key, f.counts, f.why_not, f.is_estimate, f.repeats)
def test_zero(show_):
    show(change("SELECT FROM generate_series(1, 30) n", "SELECT FROM generate_series(1, 31) n"))
def test_odd_names(show_):
    a, b = 'x"%s%' , 'é' * 31
    from orm_views_core.names import quote_identifier as q
    show(change(f"SELECT n AS {q(a)}, n AS {q(b)}, n AS \"A\", n AS a FROM generate_series(1, 30) n".replace("%", "%%"), f"SELECT n AS {q(a)}, n+1 AS {q(b)}, n AS \"A\", n+2 AS a FROM generate_series(1, 30) n".replace("%", "%%")))
TYPES = ["'a'::char(4)", "ARRAY[n]", "ARRAY[ROW(n, 1)]::pair[]", "ROW(n, 2)::pair", "'r'::colour", "int4range(n, n+3)", "int4multirange(int4range(n,n+3))", "('{\"a\":' || n || '}')::json", "('{\"a\":' || n || '}')::jsonb", "'NaN'::float8", "'-0'::float8", "n::numeric", "('<a>'||n||'</a>')::xml", "point(n, n)", "box(point(n,n), point(0,0))", "circle(point(n,n), 1)", "'\\x00'::bytea", "'1.1.1.1'::inet", "n::bit(8)", "n::money", "n::positive", "'a b'::tsvector", "n::text::xid", "n::oid::regclass", "now()::timestamp", "make_interval(n)", "ROW(n, '{}')::jpair", "ARRAY[point(n,n)]", "'a'::\"char\"", "n::text::name", "'(1,2)'::tid", "'1/1'::pg_lsn", "NULL::int", "NULL::pair", "ROW(NULL, NULL)::pair", "hstore"]
@pytest.mark.parametrize("e", TYPES[:-1])
def test_types(show_, e):
    show_("CREATE TYPE pair AS (a int, b int); CREATE TYPE jpair AS (a int, b json); CREATE TYPE colour AS ENUM ('r','g'); CREATE DOMAIN positive AS int CHECK (VALUE > 0)")
    for i in ("n AS id, ", "1 AS id, ", ""):
        f = change(f"SELECT {i}{e} AS v FROM generate_series(1, 30) n", f"SELECT {i}{e} AS v FROM generate_series(2, 31) n")
        print(e, i, f.key, f.counts, f.why_not, f.unrepeatable, f.columns[-1].by_text)
