"""Sentences that are English for programs, and in the reader's language on pages."""

from .figures import blanks as blanks
from .figures import number as number
from .said import NOTHING as NOTHING
from .said import Json as Json
from .said import Sentence, translate
from .said import as_sentence as as_sentence
from .said import enumerated as enumerated
from .said import listed as listed
from .said import replaced as replaced
from .said import says as says
from .said import says_in as says_in
from .said import says_n as says_n
from .stored import from_json as from_json
from .stored import to_json as to_json

__all__ = ["Sentence", "translate"]
