"""PostgreSQL's settings for building and refreshing a view: ``build_settings``, and its defaults. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from orm_views_core.conf import MEMORY, Rule, Settings
from orm_views_core.sentences import Sentence, as_sentence, listed, says

from .definition import BuildSettings

#: What is wrong with a plain view that has them.
NOT_BUILT = says("it sets build_settings, and only materialised views are built.")

_DURATION = re.compile(r"(\d+)(ms|s|min|h|d)")
_SECONDS = {"ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86400}


def in_seconds(duration: str) -> float:
    """Return PostgreSQL's spelling of a time, such as ``90s``, in seconds; 0 for one that has no unit."""
    found = _DURATION.fullmatch(duration)
    return int(found[1]) * _SECONDS[found[2]] if found else 0.0


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


_COUNT = Rule(_is_count, says("Give a whole number from 0 on."))
_COST = Rule(_is_number, says("Give a number from 0 on."))
_SWITCH = Rule(lambda value: isinstance(value, bool), says("Give True or False."))
_TIME = Rule(
    lambda value: isinstance(value, str) and in_seconds(value) > 0,
    says("Give a time with its unit (ms, s, min, h, d), such as '2h'."),
)

#: Settings that say how rows are computed. Others could change which rows these are, or who computes them.
ALLOWED: Mapping[str, Rule] = {
    **dict.fromkeys(("work_mem", "maintenance_work_mem", "effective_cache_size"), MEMORY),
    "hash_mem_multiplier": _COST,
    "statement_timeout": _TIME,
    **dict.fromkeys(("max_parallel_workers_per_gather", "max_parallel_maintenance_workers"), _COUNT),
    **dict.fromkeys(("from_collapse_limit", "join_collapse_limit", "geqo_threshold"), _COUNT),
    **dict.fromkeys(("random_page_cost", "seq_page_cost", "cpu_tuple_cost", "cpu_operator_cost"), _COST),
    **dict.fromkeys(("cpu_index_tuple_cost", "parallel_setup_cost", "parallel_tuple_cost"), _COST),
    **dict.fromkeys(("jit", "geqo", "enable_hashjoin", "enable_mergejoin", "enable_nestloop"), _SWITCH),
    **dict.fromkeys(("enable_hashagg", "enable_sort", "enable_incremental_sort"), _SWITCH),
    **dict.fromkeys(("enable_seqscan", "enable_indexscan", "enable_bitmapscan"), _SWITCH),
    **dict.fromkeys(("enable_material", "enable_memoize", "enable_parallel_hash"), _SWITCH),
    **dict.fromkeys(("enable_partitionwise_join", "enable_partitionwise_aggregate"), _SWITCH),
}


def problems_of(value: object) -> Iterator[tuple[Sentence, Sentence]]:
    """Yield the mistakes in a ``build_settings``, each with what to write instead."""
    if not isinstance(value, Mapping):
        yield (
            says("its build_settings is %(value)r, not a dict.", value=value),
            says("Write {'work_mem': '256MB'}."),
        )
        return
    for name, setting in value.items():
        if name not in ALLOWED:
            yield (
                says("its build_settings has %(name)r, which no view can set.", name=name),
                says("It can have %(names)s.", names=listed(sorted(ALLOWED))),
            )
        elif not ALLOWED[name].is_valid(setting):
            yield (
                says("its build_settings has %(name)r: %(setting)r.", name=name, setting=setting),
                as_sentence(ALLOWED[name].hint),
            )


def defaults(settings: Settings) -> dict[str, str]:
    """Return the settings of all views, from ``ORM_VIEWS``."""
    found = {}
    if settings.WORK_MEM is not None:
        found["work_mem"] = settings.WORK_MEM
    if settings.BUILD_TIMEOUT is not None:
        found["statement_timeout"] = f"{max(1, round(settings.BUILD_TIMEOUT * 1000))}ms"
    return found


def combined(own: Mapping[str, object], settings: Settings) -> BuildSettings:
    """Return the settings for a view as PostgreSQL spells them: its own before those of all views."""
    spelt = {name: ("on" if v else "off") if isinstance(v, bool) else str(v) for name, v in own.items()}
    return tuple(sorted({**defaults(settings), **spelt}.items()))
