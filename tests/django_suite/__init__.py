"""Django's own tests, with readable views in the place of the models: ``nox --session django_suite``.

The models of a test app are imported twice. The first time they are tables. The second time, each class
statement becomes an updatable readable view of its table's rows: ``get_queryset()`` returns the table's
``order_by()``, the fields of columns are left to inference, and the rest of the class is as Django's
tests have written it: relations, methods, managers, and what views know of ``Meta``. The tests then create,
change and read rows through the views, and never see the tables.

What cannot be a view stays a table (``conversion.why_a_table``). Relations are declared, because their other
end has to be a view too; so views refer to views, as in a project that declares such fields.
"""
