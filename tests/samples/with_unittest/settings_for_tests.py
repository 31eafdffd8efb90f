"""The settings in tests: views are there as soon as the tables are, and nobody is granted anything."""

from settings import *  # noqa: F403

ORM_VIEWS = {"SYNC_ON_MIGRATE": True}
