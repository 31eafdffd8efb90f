"""The tables of this app (``Run``, ``RowAccess``, ``ViewChange``), and ``RegisteredView``, which has none."""

from .accesses import RowAccess
from .changes import Facts, ViewChange, digest_of
from .runs import Run, RunQuerySet, RunStep, StepState, Target
from .views import NoRows, RegisteredView

__all__ = [
    "Facts",
    "NoRows",
    "RegisteredView",
    "RowAccess",
    "Run",
    "RunQuerySet",
    "RunStep",
    "StepState",
    "Target",
    "ViewChange",
    "digest_of",
]
