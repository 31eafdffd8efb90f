"""A few rows of everything, with NULLs, ties, and rows that others have none for."""

import datetime as dt
from decimal import Decimal

from .models import (
    Author,
    Book,
    Booking,
    Cafe,
    Client,
    Employee,
    Entry,
    Note,
    Place,
    Portrait,
    Publisher,
    Seat,
    Store,
)

UTC = dt.timezone.utc


def load() -> None:
    """Put the rows in."""
    ada, bea, cid, dan = (
        Author.objects.create(name="Ada", alias="A.", born=dt.date(1950, 1, 1)),
        Author.objects.create(name="Bea", born=dt.date(1970, 6, 1)),
        Author.objects.create(name="Cid", alias=""),
        Author.objects.create(name="Dan", alias="D."),
    )
    Portrait.objects.create(author=bea, file="bea.png")
    old, new, idle = (
        Publisher.objects.create(name="Old", city="York", founded=1900),
        Publisher.objects.create(name="New", founded=2001),
        Publisher.objects.create(name="Idle", city="Leeds", founded=1999),
    )
    books = [
        _book("Trees", 300, "9.50", 4.5, (2020, 1, 31), old, ada, [ada, bea]),
        _book("Rivers", 120, "9.50", None, (2020, 7, 1), old, None, [bea]),
        _book("Stones", 45, "100.00", 3.25, (2021, 7, 1), new, dan, [cid]),
        _book("Winds", 800, "0.99", 3.25, (2021, 12, 31), new, ada, [ada, bea, cid]),
        _book("Anon", 10, "5.00", None, (2022, 2, 28), old, None, []),
    ]
    assert not idle.book_set.exists()
    for text, about in (("dog-eared", books[0]), ("signed", books[0]), ("late", ada)):
        Note.objects.create(about=about, text=text)
    corner, market = Store.objects.create(name="Corner"), Store.objects.create(name="Market")
    corner.books.set(books[:3])
    market.books.set(books[2:])
    Store.objects.create(name="Empty")
    Place.objects.create(name="Square")  # so that a cafe's numbers are not those of a place
    cafes = [
        Cafe.objects.create(name="Beans", seats=20, store=corner),
        Cafe.objects.create(name="Leaves", seats=5),
    ]
    for cafe, month, hours in ((cafes[0], 1, 2), (cafes[0], 7, None), (cafes[1], 7, 3)):
        at = dt.datetime(2024, month, 1, 23, 30, tzinfo=UTC)
        until = None if hours is None else at + dt.timedelta(hours=hours)
        Booking.objects.create(cafe=cafe, at=at, until=until)
    boss = Employee.objects.create(
        name="Eve", department="board", salary=2_000_000_000, shares=2**62, hired=dt.date(2010, 5, 1)
    )
    for number, (name, department) in enumerate(
        (("Fay", "sales"), ("Gus", "sales"), ("Hal", "sales"), ("Ivy", "stock")), start=1
    ):
        Employee.objects.create(
            name=name,
            department=department,
            salary=2_000_000_000 if number > 2 else 30_000,
            shares=2**62,
            hired=dt.date(2015 + number, 1, number),
            manager=boss,
        )
    clients = [
        Client.objects.create(name="Jo", level=Client.Level.GOLD, since=dt.date(2019, 1, 1)),
        Client.objects.create(name="Kay", level=Client.Level.REGULAR, since=dt.date(2024, 1, 1)),
    ]
    for number, holder in enumerate([clients[0], None, clients[0]], start=1):
        Seat.objects.create(hall="main", number=number, holder=holder)
    Seat.objects.create(hall="side", number=1)
    for number, month in enumerate((1, 3, 7, 7), start=1):
        posted = dt.datetime(2024, month, 31, 23, 15, tzinfo=UTC)
        Entry.objects.create(
            headline=f"Entry {number}",
            body="cats and rats " * number,
            tags=["a", "b"][: number % 3],
            about={"words": number * 10, "by": {"name": ["Ada", None][number % 2]}},
            comments=number,
            likes=None if number == 2 else 4 - number,
            posted=posted,
            edited=None if number == 1 else posted + dt.timedelta(days=number, seconds=1),
        )


def _book(
    title: str,
    pages: int,
    price: str,
    rating: float | None,
    on: tuple[int, int, int],
    publisher: Publisher,
    editor: Author | None,
    authors: list[Author],
) -> Book:
    book = Book.objects.create(
        title=title,
        pages=pages,
        price=Decimal(price),
        rating=rating,
        on=dt.date(*on),
        publisher=publisher,
        editor=editor,
    )
    book.authors.set(authors)
    return book
