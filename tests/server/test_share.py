"""How much a replica takes of a caller's budget: little at first, twice as much when it is gone soon, less when some of it lapses."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from gateway.server.share import Share

SECOND = 10**9
BURST = 600


@dataclass(frozen=True)
class Given:
    count: int
    wait: int = 0


def spend(share: Share, now: int) -> int:
    """Spend all there is; give how much that was."""
    spent = 0
    while share.spend(now):
        spent += 1
    return spent


def test_what_was_taken_is_spent_once() -> None:
    share = Share()
    share.fill(Given(3), 0)

    assert (spend(share, 0), spend(share, 0)) == (3, 0)


def test_what_is_not_spent_lapses_after_two_seconds() -> None:
    share = Share()
    share.fill(Given(3), 0)

    assert share.spend(2 * SECOND - 1) is True
    assert share.spend(2 * SECOND) is False


@pytest.mark.parametrize(("burst", "sizes"), [(600, [2, 4, 8, 16, 32, 64, 128, 150, 150]), (8, [2, 2]), (3, [1, 1]), (1, [1, 1])])
def test_a_share_that_is_gone_soon_is_followed_by_one_of_twice_the_size_up_to_a_quarter_of_a_burst(burst: int, sizes: list[int]) -> None:
    share, wanted = Share(), []
    share.fill(Given(1), 0)
    for _ in sizes:
        spend(share, SECOND // 4)
        wanted.append(share.wanted(SECOND // 4, burst))
        share.fill(Given(wanted[-1]), 0)

    assert wanted == sizes


def test_a_share_that_lasts_is_followed_by_one_of_its_size_and_one_that_lapses_by_what_was_spent() -> None:
    share = Share()
    for _ in range(3):
        spend(share, 0)
        share.fill(Given(share.wanted(0, BURST)), 0)
    spend(share, SECOND)
    assert share.wanted(SECOND, BURST) == 8
    share.fill(Given(8), SECOND)
    assert [share.spend(SECOND) for _ in range(3)] == [True] * 3

    assert share.wanted(4 * SECOND, BURST) == 3
    share.fill(Given(3), 4 * SECOND)
    assert share.wanted(9 * SECOND, BURST) == 1


def test_it_is_as_good_as_a_new_one_when_it_has_lapsed_and_nothing_is_refused() -> None:
    share = Share()
    assert share.is_idle(0)
    share.fill(Given(2, 5 * SECOND), 0)

    assert [share.is_idle(second * SECOND) for second in (0, 2, 4, 5)] == [False, False, False, True]
