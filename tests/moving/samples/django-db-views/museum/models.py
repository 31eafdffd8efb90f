from django.db import models
from django.db.models import Sum
from django_db_views.db_view import DBMaterializedView, DBView


class Visitor(models.Model):
    email = models.EmailField()
    town = models.CharField(max_length=60)


class Ticket(models.Model):
    visitor = models.ForeignKey(Visitor, on_delete=models.PROTECT)
    day = models.DateField()
    price = models.DecimalField(max_digits=8, decimal_places=2)


class TicketTown(DBView):
    ticket = models.OneToOneField(
        Ticket, on_delete=models.DO_NOTHING, primary_key=True, db_column="id", related_name="+"
    )
    day = models.DateField()
    price = models.DecimalField(max_digits=8, decimal_places=2)
    town = models.CharField(max_length=60)

    view_definition = """
        SELECT ticket.id, ticket.day, ticket.price, visitor.town
        FROM museum_ticket ticket JOIN museum_visitor visitor ON visitor.id = ticket.visitor_id
    """

    class Meta:
        managed = False
        db_table = "tickets_by_town"


class DayTakings(DBView):
    day = models.DateField(primary_key=True)
    takings = models.DecimalField(max_digits=12, decimal_places=2)

    @staticmethod
    def view_definition():
        return str(Ticket.objects.values("day").annotate(takings=Sum("price")).query)

    class Meta:
        managed = False
        db_table = "day_takings"


class TownTakings(DBMaterializedView):
    town = models.CharField(max_length=60, primary_key=True)
    tickets = models.BigIntegerField()
    takings = models.DecimalField(max_digits=12, decimal_places=2)

    view_definition = {
        "django.db.backends.postgresql": """
            SELECT town, count(*) AS tickets, sum(price) AS takings FROM tickets_by_town GROUP BY town
        """,
        "django.db.backends.sqlite3": """
            SELECT town, count(*) AS tickets, sum(price) AS takings FROM tickets_by_town GROUP BY town
        """,
    }

    class Meta:
        managed = False
        db_table = "town_takings"
