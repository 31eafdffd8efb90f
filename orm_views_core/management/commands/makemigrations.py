from django.core.management.commands.makemigrations import Command as MakeMigrations

from orm_views_core.autodetector import Autodetector


class Command(MakeMigrations):
    autodetector = Autodetector
