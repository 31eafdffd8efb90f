"""How each database engine spells what view classes say: the names of views, and values in SQL.

Everything that differs between engines is here and in ``engines/``. Other packages ask what an engine can do
(``Abilities``), and never which one it is.
"""

from .base import Abilities, Spelling
from .finding import ENGINES, spelling_of, spelling_on

__all__ = ["ENGINES", "Abilities", "Spelling", "spelling_of", "spelling_on"]
