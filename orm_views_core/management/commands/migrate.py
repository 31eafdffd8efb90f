from django.core.management.commands.migrate import Command as Migrate

from orm_views_core.autodetector import Autodetector


class Command(Migrate):
    autodetector = Autodetector
