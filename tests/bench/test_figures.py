"""The statistics."""

from __future__ import annotations

import pytest

from tests.bench.figures import Figures, medians, percentile, ratios


@pytest.mark.parametrize(("percent", "expected"), [(0, 1), (50, 5), (90, 9), (99, 10), (100, 10)])
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(percent: float, expected: float) -> None:
    assert percentile([3, 1, 2, 10, 9, 8, 7, 6, 5, 4], percent) == expected


def test_every_percentile_of_one_value_is_that_value() -> None:
    assert [percentile([7.5], percent) for percent in (0, 50, 99)] == [7.5, 7.5, 7.5]


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="there are no values"):
        percentile([], 50)


def test_each_figure_has_its_own_median() -> None:
    rounds = [Figures(1, 30, 7, 1, 3, 100), Figures(2, 10, 9, 1, 3, 300), Figures(9, 20, 8, 1, 4, 200)]
    assert medians(rounds) == Figures(2, 20, 8, 1, 3, 200)


def test_a_ratio_is_the_cost_of_one_stack_in_multiples_of_another() -> None:
    assert ratios({"gateway": 3.0, "a": 1.5, "b": 6.0}, "gateway") == {"a": 2.0, "b": 0.5}


def test_a_stack_without_measurable_cost_has_no_ratio() -> None:
    assert ratios({"gateway": 3.0, "a": 0.0}, "gateway") == {}
