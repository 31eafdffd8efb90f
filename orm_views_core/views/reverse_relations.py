"""Django's caches of a model's reverse relations, kept while views with foreign keys to it are declared.

``Options.add_field()`` empties these caches of the model that a foreign key refers to, and Django fills them
by walking all models. The queryset of the next view may need them, so N views would take the time of N²
models. Here the new foreign key is added to what is in the caches.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.db.models import ForeignObjectRel
from django.db.models.fields.related import RelatedField

# The foreign keys that refer to a model, and their reverse relations by name.
_TREE, _BY_NAME = "_relation_tree", "fields_map"


def keep_reverse_relations(field: RelatedField[Any, Any], add: Callable[[], None]) -> None:
    """Keep the caches of the model that a field refers to, while the field is added to a view.

    When all apps are ready, Django empties the caches of every model for each new one. Nothing is kept then.

    Args:
        field: the foreign key, or the like.
        add: adds it.
    """
    before = {} if apps.ready else _caches(field)
    add()
    if apps.ready:
        return
    # A model that was named by a string is known only now. Django has not emptied its caches.
    kept = before or _caches(field)
    if _TREE not in kept:
        return
    relation: Any = field.remote_field
    kept[_TREE].append(field)
    if _BY_NAME in kept:
        kept[_BY_NAME][relation.name] = relation
    relation.model._meta._expire_cache(forward=False)
    vars(relation.model._meta).update(kept)


def _caches(field: RelatedField[Any, Any]) -> dict[str, Any]:
    """Return those caches of the model that a field refers to which are filled."""
    cached = vars(getattr(field.remote_field.model, "_meta", object))
    return {name: cached[name] for name in (_TREE, _BY_NAME) if name in cached}


def is_taken(target: Any, name: str, label: str) -> bool:
    """Return whether a model has a field, a relation or a reverse accessor of some name.

    This asks Django for one name. It does not list the relations, of which each view may add one.

    Args:
        target: the model.
        name: the name.
        label: the label of a model whose own relations do not count, in lower case.
    """
    # As get_field() does, without its error for what is not there.
    opts = target._meta
    found = [each for each in (opts._forward_fields_map.get(name), opts.fields_map.get(name)) if each]
    # The descriptors of reverse relations are attributes of the model. One is of a foreign key to it.
    descriptor = getattr(target, name, None)
    found += [
        relation
        for relation in (getattr(descriptor, "rel", None), getattr(descriptor, "related", None))
        if isinstance(relation, ForeignObjectRel) and relation.get_accessor_name() == name
    ]
    return any(
        not isinstance(each, ForeignObjectRel) or each.related_model._meta.label_lower != label
        for each in found
    )
