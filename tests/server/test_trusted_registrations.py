"""Documents that clients registered: as many as may be, and the oldest go first."""

from gateway.server.trusted_registrations import Registrations


def test_of_more_documents_than_may_be_kept_those_that_nobody_asked_for_longest_go() -> None:
    kept = Registrations(most=2)
    kept.put("a", "A")
    kept.put("b", "B")
    assert kept.get("a") == "A"

    kept.put("c", "C")

    assert [kept.get(name) for name in "abc"] == ["A", None, "C"]


def test_of_more_text_than_may_be_kept_the_oldest_goes() -> None:
    kept = Registrations(most_bytes=5)
    for name, text in (("a", "AA"), ("b", "é"), ("c", "CC")):  # é is two bytes
        kept.put(name, text)

    assert [kept.get(name) for name in "abc"] == [None, "é", "CC"]


def test_room_that_was_given_up_is_used_again() -> None:
    kept = Registrations(most_bytes=4)
    for number in range(100):
        kept.put(str(number), "AA")

    assert [kept.get(name) for name in ("97", "98", "99")] == [None, "AA", "AA"]


def test_a_document_larger_than_all_may_be_pushes_none_out() -> None:
    kept = Registrations(most_bytes=4)
    kept.put("a", "AA")
    kept.put("b", "BBBBB")

    assert (kept.get("a"), kept.get("b")) == ("AA", None)


def test_a_document_that_is_kept_twice_counts_once() -> None:
    kept = Registrations(most_bytes=4)
    for name in "aab":
        kept.put(name, "AA")

    assert (kept.get("a"), kept.get("b")) == ("AA", "AA")


def test_a_thousand_documents_and_ten_megabytes_are_kept() -> None:
    kept = Registrations()
    for number in range(1_001):
        kept.put(str(number), "A" * 9_000)
    assert (kept.get("0"), kept.get("1")) == (None, "A" * 9_000)

    for number in range(3):
        kept.put(f"large {number}", "A" * 4_000_000)
    assert (kept.get("1000"), kept.get("large 0"), kept.get("large 1")) == (None, None, "A" * 4_000_000)
