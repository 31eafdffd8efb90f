"""The tables of this app (``Run``, ``RowAccess``, ``ViewChange``), and ``RegisteredView``, which has none."""

from .accesses import RowAccess
from .changes import Facts as Facts
from .changes import ViewChange as ViewChange
from .changes import digest_of as digest_of
from .runs import Run
from .runs import RunQuerySet as RunQuerySet
from .runs import RunStep as RunStep
from .runs import StepState as StepState
from .runs import Target as Target
from .views import NoRows as NoRows
from .views import RegisteredView

__all__ = ["RegisteredView", "RowAccess", "Run"]
