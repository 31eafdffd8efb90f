"""The views of each tenant."""

from orm_views_core.views import (
    PostgresMaterialisedViewMixin,
    PostgresViewFromSQL,
    ReadableViewFromQueryset,
)
from tests.tenants.shop.models import Product


class Expensive(ReadableViewFromQueryset):
    """What costs more than ten."""

    @classmethod
    def get_queryset(cls):
        return Product.objects.filter(price__gt=10).values("id", "name", "price")


class Totals(PostgresMaterialisedViewMixin, ReadableViewFromQueryset):
    """A view that is stored, and reads another."""

    pk_field = "id"

    @classmethod
    def get_queryset(cls):
        return Expensive.objects.values("id", "price")


class Names(PostgresViewFromSQL):
    """A view in SQL, which names its table without a schema."""

    sql = "SELECT name FROM shop_product"
