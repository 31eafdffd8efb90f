"""What other packages for views in a database document, as tests of this one, in our own words.

Each test is named after a behaviour. What a peer does and this package leaves to something else is not here:
generators of files, migrations of views, other databases than PostgreSQL.

| peer                     | behaviours | module                     |
|--------------------------|-----------:|----------------------------|
| django-orm-views 2.0.3   |         18 | `test_predecessor.py`      |
| django-pgviews-redux     |         20 | `test_pgviews_redux.py`    |
| django-db-views          |         13 | `test_django_db_views.py`  |
| Scenic (Ruby on Rails)   |         20 | `test_scenic.py`           |
"""
