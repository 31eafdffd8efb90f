from django.db import models
from django.db.models import Count, Sum
from django_orm_views.sync import refresh_materialized_view
from django_orm_views.views import (
    HiddenViewMixin,
    PostgresMaterialisedViewMixin,
    PostgresViewFromQueryset,
    PostgresViewFromSQL,
    ReadableViewFromQueryset,
)

from .models import Ticket


class Towns(PostgresViewFromSQL):
    sql = "SELECT id, town FROM museum_visitor WHERE town NOT LIKE '%%?%%'"


class TicketLines(ReadableViewFromQueryset):
    day = models.DateField()
    price = models.DecimalField(max_digits=8, decimal_places=2)
    town = models.CharField(max_length=60)

    @classmethod
    def get_queryset(cls):
        return Ticket.objects.values("id", "day", "price", "visitor__town")


class DearTickets(HiddenViewMixin, PostgresViewFromSQL):
    name = "DearTickets"
    view_dependencies = [TicketLines]
    sql = "SELECT id, price FROM views.ticketlines WHERE price >= 10"


class TownTakings(PostgresMaterialisedViewMixin, PostgresViewFromQueryset):
    prefix = "museum"
    pk_field = "town"

    @classmethod
    def get_queryset(cls):
        return Ticket.objects.values("visitor__town").annotate(tickets=Count("id"), takings=Sum("price"))


def refresh():
    refresh_materialized_view(TownTakings, concurrently=True)
