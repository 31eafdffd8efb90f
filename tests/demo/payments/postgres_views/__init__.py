"""What analysts see of the money that is due and the money that came in."""

from .arrears import ArrearsBuckets, ArrearsByProduct, InstalmentBalances, OverdueInstalments
from .collections import CollectionRate, MonthlyCollections, RepaymentMethods
from .reporting import CohortPerformance, Portfolio

__all__ = [
    "ArrearsBuckets",
    "ArrearsByProduct",
    "CohortPerformance",
    "CollectionRate",
    "InstalmentBalances",
    "MonthlyCollections",
    "OverdueInstalments",
    "Portfolio",
    "RepaymentMethods",
]
