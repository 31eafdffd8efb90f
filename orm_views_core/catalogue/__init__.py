"""A catalogue of the views for those who read them, as files."""

from .api import read_catalogue, write_catalogue
from .files import Written
from .values import Catalogue

__all__ = ["Catalogue", "Written", "read_catalogue", "write_catalogue"]
