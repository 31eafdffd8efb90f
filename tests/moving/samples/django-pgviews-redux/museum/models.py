from django.conf import settings
from django.db import models
from django_pgviews import view as pg


class Visitor(models.Model):
    email = models.EmailField()
    town = models.CharField(max_length=60)


class Ticket(models.Model):
    visitor = models.ForeignKey(Visitor, on_delete=models.PROTECT)
    day = models.DateField()
    price = models.DecimalField(max_digits=8, decimal_places=2)


class VisitorTown(pg.ReadOnlyView):
    projection = ["museum.Visitor.town"]
    sql = "SELECT id, town FROM museum_visitor"

    class Meta:
        managed = False


class TicketTown(pg.View):
    dependencies = ["museum.VisitorTown"]
    sql = """
        SELECT ticket.id, ticket.day, ticket.price, visitor.town
        FROM museum_ticket ticket JOIN museum_visitortown visitor ON visitor.id = ticket.visitor_id;
    """

    day = models.DateField()
    price = models.DecimalField(max_digits=8, decimal_places=2)
    town = models.CharField(max_length=60)

    class Meta:
        managed = False
        db_table = "museum_tickets_by_town"


class DearTicket(pg.ReadOnlyView):
    day = models.DateField()
    price = models.DecimalField(max_digits=8, decimal_places=2)

    @classmethod
    def get_sql(cls):
        return pg.ViewSQL("SELECT id, day, price FROM museum_ticket WHERE price >= %s", [settings.DEAR_FROM])

    class Meta:
        managed = False


class TownTakings(pg.ReadOnlyMaterializedView):
    dependencies = ["museum.TicketTown"]
    concurrent_index = "town"
    sql = """
        SELECT town, count(*) AS tickets, sum(price) AS takings
        FROM museum_tickets_by_town GROUP BY town
    """

    town = models.CharField(max_length=60, primary_key=True)
    tickets = models.BigIntegerField()
    takings = models.DecimalField(max_digits=12, decimal_places=2)

    class Meta:
        managed = False
        indexes = [models.Index(fields=["-takings"], name="towntakings_takings")]
