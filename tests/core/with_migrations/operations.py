"""Operations of migrations, each with the column that a view reads, and what that column is afterwards.

The models are those of a shop: an item of a kind, with tags; a book is an item; an order is of an item.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from django.db import migrations as m
from django.db import models
from django.db.migrations.operations.base import Operation
from django.db.models import CASCADE, DO_NOTHING, F, Q
from django.db.models.functions import Lower

APP = "shop"
ITEM, KIND, BOOK, TAGS, ORDER = (f"shop_{name}" for name in ("item", "kind", "book", "item_tags", "order"))


def key() -> Any:
    return models.AutoField(primary_key=True)


def base() -> list[Operation]:
    """The operations that make the models."""
    return [
        m.CreateModel("Kind", [("id", key()), ("name", models.CharField(max_length=20))]),
        m.CreateModel(
            "Item",
            [
                ("id", key()),
                ("code", models.IntegerField(unique=True)),
                ("qty", models.IntegerField()),
                ("name", models.CharField(max_length=20)),
                ("digits", models.CharField(max_length=20, default="1")),
                ("price", models.DecimalField(max_digits=8, decimal_places=2)),
                ("note", models.TextField(null=True)),
                ("slug", models.SlugField(default="x")),
                ("other", models.IntegerField(default=0)),
                ("kind", models.ForeignKey("shop.Kind", CASCADE)),
                ("tags", models.ManyToManyField("shop.Kind", related_name="tagged")),
            ],
        ),
        m.AddIndex("Item", models.Index(fields=["qty"], name="by_qty")),
        m.AddConstraint("Item", models.CheckConstraint(condition=Q(qty__gte=0), name="positive")),
        m.CreateModel(
            "Book",
            [
                ("item", models.OneToOneField("shop.Item", CASCADE, parent_link=True, primary_key=True)),
                ("pages", models.IntegerField()),
            ],
            bases=("shop.item",),
        ),
        m.CreateModel(
            "Order",
            [
                ("id", key()),
                ("item", models.ForeignKey("shop.Item", CASCADE)),
                ("amount", models.IntegerField(default=1)),
            ],
        ),
    ]


ROWS = """
INSERT INTO shop_kind (id, name) VALUES (1, 'a'), (2, 'b');
INSERT INTO shop_item (id, code, qty, name, digits, price, note, slug, other, kind_id)
SELECT n, n, n, 'n' || n, n, n, CASE WHEN n > 1 THEN 'note' END, 's', 7, 1 FROM generate_series(1, 4) AS n;
INSERT INTO shop_item_tags (item_id, kind_id) VALUES (1, 1), (2, 1), (3, 2);
INSERT INTO shop_book (item_id, pages) VALUES (1, 100), (2, 200);
INSERT INTO shop_order (id, item_id, amount) SELECT n, n, n FROM generate_series(1, 4) AS n;
SELECT setval('shop_item_id_seq', 4), setval('shop_order_id_seq', 4), setval('shop_kind_id_seq', 2);
"""


@dataclass(frozen=True)
class Case:
    """Some operations, and what a view reads.

    Attributes:
        name: the operations, in words.
        operations: they.
        table: the table that the view reads.
        column: the column that it reads.
        now: that column afterwards; "" when it is gone.
        new_table: the table afterwards; "" when it is gone.
        fails: the SQLSTATE by which the migration fails without a view; "" when it does not.
        key: the table's key.
        atomic: the attribute of the migration.
        other: another column of the table.
        split: whether it cannot be in a transaction.
        only_rows: whether it changes rows only, so that materialised views stay as they are.
        new_key: the table's key afterwards.
    """

    name: str
    operations: Sequence[Operation]
    table: str = ITEM
    column: str = "qty"
    now: str | None = None
    new_table: str | None = None
    fails: str = ""
    key: str = "id"
    atomic: bool = True
    other: str = "other"
    split: bool = False
    only_rows: bool = False
    new_key: str | None = None

    @property
    def column_now(self) -> str:
        return self.column if self.now is None else self.now

    @property
    def table_now(self) -> str:
        return self.table if self.new_table is None else self.new_table

    @property
    def key_now(self) -> str:
        return self.key if self.new_key is None else self.new_key


def alter(name: str, field: Any, model: str = "Item") -> Operation:
    return m.AlterField(model, name, field)


def sql(*statements: str) -> list[Operation]:
    return [m.RunSQL(statement) for statement in statements]


def python(*statements: str) -> Operation:
    def run(apps: Any, schema_editor: Any) -> None:
        with schema_editor.connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    return m.RunPython(run)


BIG = models.BigAutoField(primary_key=True)
BY_KEY = models.CompositePrimaryKey

CASES = [
    Case("AddField null", [m.AddField("Item", "more", models.IntegerField(null=True))]),
    Case("AddField default", [m.AddField("Item", "more", models.IntegerField(default=3))]),
    Case(
        "AddField FK",
        [m.AddField("Item", "more", models.ForeignKey("shop.Kind", CASCADE, null=True, related_name="+"))],
    ),
    Case("AddField M2M", [m.AddField("Item", "more", models.ManyToManyField("shop.Kind", related_name="+"))]),
    Case(
        "AddField GeneratedField stored",
        [
            m.AddField(
                "Item",
                "more",
                models.GeneratedField(
                    expression=F("qty") + 1, output_field=models.IntegerField(), db_persist=True
                ),
            )
        ],
    ),
    Case("AlterField int→bigint", [alter("qty", models.BigIntegerField())]),
    Case("AlterField int→char, check", [alter("qty", models.CharField(max_length=20))], fails="42883"),
    Case(
        "AlterField int→char",
        [alter("other", models.CharField(max_length=20))],
        column="other",
        other="price",
    ),
    Case("AlterField char(20)→char(40)", [alter("name", models.CharField(max_length=40))], column="name"),
    Case("AlterField char(20)→char(10)", [alter("name", models.CharField(max_length=10))], column="name"),
    Case("AlterField char→text", [alter("name", models.TextField())], column="name"),
    Case("AlterField char→int (USING)", [alter("digits", models.IntegerField(default=1))], column="digits"),
    Case(
        "AlterField decimal(8,2)→(12,2)",
        [alter("price", models.DecimalField(max_digits=12, decimal_places=2))],
        column="price",
    ),
    Case(
        "AlterField collation",
        [alter("name", models.CharField(max_length=20, db_collation="C"))],
        column="name",
    ),
    Case(
        "AlterField null→not null",
        [
            python("UPDATE shop_item SET note = '' WHERE note IS NULL"),
            alter("note", models.TextField(default="")),
        ],
        column="note",
        only_rows=True,
    ),
    Case("AlterField not null→null", [alter("qty", models.IntegerField(null=True))]),
    Case("AlterField default", [alter("qty", models.IntegerField(default=5))]),
    Case("AlterField db_default", [alter("qty", models.IntegerField(db_default=5))]),
    Case(
        "AlterField choices and help_text",
        [alter("qty", models.IntegerField(choices=[(1, "one")], help_text="how many"))],
    ),
    Case("AlterField db_comment", [alter("qty", models.IntegerField(db_comment="how many"))]),
    Case("AlterField db_column", [alter("qty", models.IntegerField(db_column="quantity"))], now="quantity"),
    Case("AlterField unique", [alter("qty", models.IntegerField(unique=True))]),
    Case(
        "AlterField db_index on",
        [alter("other", models.IntegerField(default=0, db_index=True))],
        column="other",
        other="price",
    ),
    Case(
        "AlterField db_index off",
        [alter("slug", models.SlugField(default="x", db_index=False))],
        column="slug",
    ),
    Case(
        "AlterField slug→char", [alter("slug", models.CharField(max_length=50, default="x"))], column="slug"
    ),
    Case(
        "AlterField int→FK",
        [
            python("UPDATE shop_item SET other = 1"),
            alter("other", models.ForeignKey("shop.Kind", CASCADE, related_name="+")),
        ],
        column="other",
        now="other_id",
        other="price",
        only_rows=True,
    ),
    Case(
        "FK→int",
        [m.RemoveField("Item", "kind"), m.AddField("Item", "kind", models.IntegerField(default=0))],
        column="qty",
    ),
    Case(
        "AlterField FK→OneToOne",
        [
            python("UPDATE shop_order SET item_id = id"),
            alter("item", models.OneToOneField("shop.Item", CASCADE), "Order"),
        ],
        table=ORDER,
        column="item_id",
        other="amount",
    ),
    Case(
        "AlterField FK null",
        [alter("kind", models.ForeignKey("shop.Kind", CASCADE, null=True))],
        column="kind_id",
    ),
    Case(
        "AlterField FK to another table",
        [
            alter(
                "item",
                models.ForeignKey("shop.Kind", DO_NOTHING, db_constraint=False, related_name="+"),
                "Order",
            )
        ],
        table=ORDER,
        column="item_id",
        other="amount",
    ),
    Case("AlterField pk int→bigint, view on pk", [alter("id", BIG)], column="id", other="qty"),
    Case(
        "AlterField pk int→bigint, view on the FK",
        [alter("id", BIG)],
        table=ORDER,
        column="item_id",
        other="amount",
    ),
    Case(
        "AlterField pk int→bigint, view on the child's pk",
        [alter("id", BIG)],
        table=BOOK,
        column="item_id",
        key="item_id",
        other="pages",
    ),
    Case(
        "AlterField pk int→bigint, view on the M2M",
        [alter("id", BIG)],
        table=TAGS,
        column="item_id",
        other="kind_id",
    ),
    Case(
        "pk→uuid in a new column",
        [
            m.AddField("Kind", "uuid", models.UUIDField(default=uuid.uuid4, null=True)),
            *sql(
                "UPDATE shop_kind SET uuid = gen_random_uuid()",
                "ALTER TABLE shop_kind DROP CONSTRAINT shop_kind_pkey CASCADE",
                "ALTER TABLE shop_kind ALTER COLUMN uuid SET NOT NULL",
                "ALTER TABLE shop_kind ADD PRIMARY KEY (uuid)",
            ),
        ],
        table=KIND,
        column="name",
        other="id",
        new_key="uuid",
    ),
    Case(
        "DROP CONSTRAINT of the key",
        sql(
            "ALTER TABLE shop_order DROP CONSTRAINT shop_order_pkey",
            "ALTER TABLE shop_order ADD PRIMARY KEY (id)",
        ),
        table=ORDER,
        column="item_id",
        other="amount",
    ),
    Case("RemoveField", [m.RemoveField("Item", "note")], column="note", now=""),
    Case("RemoveField, view reads another column", [m.RemoveField("Item", "note")]),
    Case("RemoveField FK", [m.RemoveField("Item", "kind")], column="kind_id", now=""),
    Case(
        "RemoveField M2M",
        [m.RemoveField("Item", "tags")],
        table=TAGS,
        column="item_id",
        other="kind_id",
        now="",
        new_table="",
    ),
    Case(
        "RemoveField and AddField of the same name",
        [m.RemoveField("Item", "note"), m.AddField("Item", "note", models.IntegerField(default=4))],
        column="note",
    ),
    Case("RenameField", [m.RenameField("Item", "qty", "quantity")], now="quantity"),
    Case(
        "RenameField and the old name anew",
        [m.RenameField("Item", "qty", "quantity"), m.AddField("Item", "qty", models.IntegerField(default=9))],
        now="quantity",
    ),
    Case(
        "AlterField type, then RenameField",
        [alter("qty", models.BigIntegerField()), m.RenameField("Item", "qty", "quantity")],
        now="quantity",
    ),
    Case(
        "RenameField, then AlterField type",
        [m.RenameField("Item", "qty", "quantity"), alter("quantity", models.BigIntegerField())],
        now="quantity",
    ),
    Case(
        "RenameModel",
        [m.RenameModel("Order", "Purchase")],
        table=ORDER,
        column="amount",
        other="item_id",
        new_table="shop_purchase",
    ),
    Case("RenameModel, view on the FK", [m.RenameModel("Kind", "Sort")], column="kind_id"),
    Case(
        "RenameModel, view on the M2M",
        [m.RenameModel("Kind", "Sort")],
        table=TAGS,
        column="kind_id",
        other="item_id",
        now="sort_id",
    ),
    Case(
        "AlterModelTable",
        [m.AlterModelTable("Order", "orders")],
        table=ORDER,
        column="amount",
        other="item_id",
        new_table="orders",
    ),
    Case("AlterModelTableComment", [m.AlterModelTableComment("Item", "things")]),
    Case(
        "DeleteModel",
        [m.DeleteModel("Order")],
        table=ORDER,
        column="amount",
        other="item_id",
        now="",
        new_table="",
    ),
    Case(
        "DeleteModel and CreateModel of the same table",
        [
            m.DeleteModel("Order"),
            m.CreateModel(
                "Order",
                [
                    ("id", key()),
                    ("item", models.ForeignKey("shop.Item", CASCADE)),
                    ("amount", models.BigIntegerField(default=1)),
                ],
            ),
        ],
        table=ORDER,
        column="amount",
        other="item_id",
    ),
    Case("AlterUniqueTogether", [m.AlterUniqueTogether("Item", {("qty", "name")})]),
    Case("AddIndex", [m.AddIndex("Item", models.Index(fields=["other"], name="by_other"))]),
    Case(
        "AddIndex on an expression",
        [m.AddIndex("Item", models.Index(Lower("name"), name="by_lower"))],
        column="name",
    ),
    Case("RemoveIndex", [m.RemoveIndex("Item", "by_qty")]),
    Case("RenameIndex", [m.RenameIndex("Item", "by_quantity", old_name="by_qty")]),
    Case(
        "AddIndexConcurrently",
        [AddIndexConcurrently("Item", models.Index(fields=["other"], name="by_other"))],
        atomic=False,
        split=True,
    ),
    Case("RemoveIndexConcurrently", [RemoveIndexConcurrently("Item", "by_qty")], atomic=False, split=True),
    Case(
        "AddConstraint check",
        [m.AddConstraint("Item", models.CheckConstraint(condition=Q(other__gte=0), name="other"))],
    ),
    Case(
        "AddConstraint unique",
        [m.AddConstraint("Item", models.UniqueConstraint(fields=["qty", "name"], name="both"))],
    ),
    Case(
        "AddConstraintNotValid and Validate",
        [
            AddConstraintNotValid("Item", models.CheckConstraint(condition=Q(other__gte=0), name="other")),
            ValidateConstraint("Item", "other"),
        ],
    ),
    Case("RemoveConstraint", [m.RemoveConstraint("Item", "positive")]),
    Case("AlterModelOptions", [m.AlterModelOptions("Item", {"ordering": ["qty"]})]),
    Case(
        "AlterOrderWithRespectTo",
        [m.AlterOrderWithRespectTo("Order", "item")],
        table=ORDER,
        column="amount",
        other="item_id",
    ),
    Case("RunSQL ALTER TYPE", sql("ALTER TABLE shop_item ALTER qty TYPE bigint")),
    Case(
        "RunSQL DO with ALTER TYPE",
        sql("DO $$ BEGIN EXECUTE 'ALTER TABLE shop_item ALTER qty TYPE bigint'; END $$"),
    ),
    Case("RunSQL DROP COLUMN", sql("ALTER TABLE shop_item DROP COLUMN note"), column="note", now=""),
    Case(
        "RunSQL DROP COLUMN CASCADE",
        sql("ALTER TABLE shop_item DROP COLUMN note CASCADE"),
        column="note",
        now="",
    ),
    Case(
        "RunSQL DO with DROP COLUMN CASCADE",
        sql("DO $$ BEGIN ALTER TABLE shop_item DROP COLUMN note CASCADE; END $$"),
        column="note",
        now="",
    ),
    Case(
        "RunSQL SET SCHEMA",
        sql("CREATE SCHEMA sales", "ALTER TABLE shop_order SET SCHEMA sales"),
        table=ORDER,
        column="amount",
        other="item_id",
        new_table="sales.shop_order",
    ),
    Case(
        "RunSQL ALTER TYPE with a policy",
        sql("CREATE POLICY p ON shop_item USING (qty > 0)", "ALTER TABLE shop_item ALTER qty TYPE bigint"),
        fails="0A000",
    ),
    Case("RunPython UPDATE", [python("UPDATE shop_item SET qty = qty + 1")], only_rows=True),
    Case(
        "RunPython INSERT with a deferred FK, then DDL",
        [
            python("INSERT INTO shop_order (id, item_id, amount) VALUES (9, 1, 1)"),
            m.AddField("Order", "more", models.IntegerField(null=True)),
            alter("amount", models.BigIntegerField(default=1), "Order"),
        ],
        table=ORDER,
        column="amount",
        other="item_id",
        fails="55006",
    ),
    Case(
        "RunPython UPDATE, then AlterField type",
        [python("UPDATE shop_item SET qty = qty + 1"), alter("qty", models.BigIntegerField())],
    ),
    Case(
        "RunSQL TRUNCATE",
        sql("TRUNCATE shop_order"),
        table=ORDER,
        column="amount",
        other="item_id",
        only_rows=True,
    ),
]
