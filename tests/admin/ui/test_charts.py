"""Durations as paths: where the marks are, which shapes they have, and which numbers stand beside them."""

from __future__ import annotations

import itertools
import re

import pytest

from orm_views_admin.ui.charts import Mark, Point, draw_chart, draw_sparkline, path_of


def points(*seconds, mark=Mark.DONE):
    return [Point(s, mark) for s in seconds]


def places(line):
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", line)]


def test_longer_is_higher_and_later_is_further_right():
    chart = draw_chart(points(1, 3, 2))
    (x1, y1), (x2, y2), (x3, y3) = places(chart.line)
    assert chart.left < x1 < x2 < x3 < chart.width
    assert y2 < y3 < y1
    assert x2 - x1 == pytest.approx(x3 - x2, abs=0.2)


def test_the_scale_begins_at_nothing_and_says_round_numbers():
    for longest, said in (
        (0.004, [0, 0.001, 0.002, 0.003, 0.004]),
        (0.7, [0, 0.2, 0.4, 0.6, 0.8]),
        (9, [0, 5, 10]),
        (200, [0, 60, 120, 180, 240]),
        (7000, [0, 1800, 3600, 5400, 7200]),
        (2_000_000, [0, 500_000, 1_000_000, 1_500_000, 2_000_000]),
    ):
        chart = draw_chart(points(longest))
        assert [tick.seconds for tick in chart.ticks] == said
        assert not chart.is_logarithmic
        heights = [tick.y for tick in chart.ticks]
        assert heights == sorted(heights, reverse=True)
        assert heights[0] - heights[-1] == chart.height - 20


def test_durations_far_apart_are_on_a_scale_of_multiples():
    chart = draw_chart(points(0.02, 7200))
    assert chart.is_logarithmic
    assert [tick.seconds for tick in chart.ticks] == [0.01, 0.1, 1, 10, 60, 600, 3600, 36_000]
    (_, short), (_, long) = places(chart.line)
    assert chart.ticks[-1].y < long < short < chart.ticks[0].y


def test_every_mark_stays_within_the_picture():
    for seconds in itertools.product((0, 0.0001, 1, 90_000, None), repeat=3):
        for picture in (draw_chart(points(*seconds)), draw_sparkline(points(*seconds))):
            for shape in picture.shapes:
                x, y = map(float, re.match(r"M(-?[\d.]+) (-?[\d.]+)", shape.path).groups())
                assert 0 <= x <= picture.width
                assert 0 <= y <= picture.height


def test_each_result_has_a_shape_of_its_own():
    commands = {re.sub(r"[-\d. ]", "", path_of(mark, 10, 10, 4)) for mark in Mark if mark is not Mark.JOINED}
    assert len(commands) == len(Mark) - 1  # a disc and a ring differ by their fill
    chart = draw_chart([Point(1, mark) for mark in Mark])
    assert [shape.mark for shape in chart.shapes] == list(Mark)


def test_the_line_leaves_out_what_did_not_compute_anything():
    chart = draw_chart(
        [Point(1, Mark.DONE), Point(5, Mark.FAILED), Point(None, Mark.OPEN), Point(2, Mark.DONE)]
    )
    assert len(places(chart.line)) == 2
    assert len(chart.shapes) == 4


def test_a_run_without_a_duration_stands_on_the_ground():
    chart = draw_chart([Point(None, Mark.OPEN), Point(2, Mark.DONE)])
    assert chart.shapes[0].path.split(" ")[1].startswith("170.0")


@pytest.mark.parametrize("draw", [draw_chart, draw_sparkline])
def test_nothing_and_a_single_one_are_pictures_too(draw):
    assert draw([]).shapes == ()
    assert draw([]).line == ""
    single = draw(points(0))
    assert len(single.shapes) == 1
    assert single.line == ""


def test_a_sparkline_marks_the_last_and_what_went_wrong():
    spark = draw_sparkline([*points(1, 2), Point(1, Mark.FAILED), *points(3, 1)])
    assert [shape.mark for shape in spark.shapes] == [Mark.FAILED, Mark.DONE]
    assert len(places(spark.line)) == 4
