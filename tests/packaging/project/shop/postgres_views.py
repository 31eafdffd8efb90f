from orm_views_core.views import PostgresViewFromSQL


class OpeningHours(PostgresViewFromSQL):
    """When the shop is open."""

    sql = "SELECT 'Monday' AS day, 9 AS opens, 17 AS closes"
