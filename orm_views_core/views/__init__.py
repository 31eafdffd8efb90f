"""The base classes for the view classes of a project."""

from .base import BasePostgresView as BasePostgresView
from .base import HiddenViewMixin as HiddenViewMixin
from .base import ParameterisedSQL as ParameterisedSQL
from .base import PostgresMaterialisedViewMixin as PostgresMaterialisedViewMixin
from .base import PostgresViewFromQueryset as PostgresViewFromQueryset
from .base import PostgresViewFromSQL as PostgresViewFromSQL
from .base import ReadableViewFromQueryset as ReadableViewFromQueryset
from .base import ReadableViewFromSQL as ReadableViewFromSQL
