"""The tables of this app, ``Run`` and ``ViewChange``, and ``RegisteredView``, which has no table."""

from .changes import Facts, ViewChange, digest_of
from .runs import Run, RunQuerySet, RunStep, StepState, Target
from .views import NoRows, RegisteredView

__all__ = [
    "Facts",
    "NoRows",
    "RegisteredView",
    "Run",
    "RunQuerySet",
    "RunStep",
    "StepState",
    "Target",
    "ViewChange",
    "digest_of",
]
