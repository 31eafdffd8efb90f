"""Which columns are personal, and the guard that keeps views from showing them to others.

Models import :func:`personal` from here. What the guard needs is imported when there is something personal.
"""

from .marks import personal

__all__ = ["personal"]
