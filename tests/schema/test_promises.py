"""No client of the last release breaks without a word: nothing goes before a release has deprecated it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.schema import print_schema
from tests.schema.promises import broken_promises, untold

HERE = Path(__file__).parent
CHANGELOG = (HERE.parents[1] / "CHANGELOG.md").read_text(encoding="utf-8")
RELEASED = (HERE / "released.graphql").read_text(encoding="utf-8")
TINY = """
type Query { note(short: Boolean, long: Boolean @deprecated): Note, search(by: By!): [Note!]!, node: Node }
interface Node { id: ID! }
type Note implements Node {
  id: ID!, text: String, title: String @deprecated, author: Author @deprecated(reason: "Use `text`."), state: State!
}
type Author { name: String! }
type Tag implements Node { id: ID! }
enum State { OPEN CLOSED LOST @deprecated }
input By { id: ID, word: String, old: String @deprecated }
"""


def changed(old: str, new: str) -> list[str]:
    assert old in TINY
    return broken_promises(TINY, TINY.replace(old, new))


def test_nothing_has_been_broken_since_the_last_release() -> None:
    assert broken_promises(RELEASED, print_schema()) == [], "deprecate it for a release; what changes its type gets a new name"


def test_the_changelog_tells_all_that_has_changed_in_the_graph_since_the_last_release() -> None:
    latest = CHANGELOG.split("\n## ")[1].partition("\n### Graph\n")[2]

    assert untold(RELEASED, print_schema(), latest) == [], "name it in CHANGELOG.md, below Graph"


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("text: String,", "", "Field Note.text was removed."),
        ("type Tag implements Node { id: ID! }", "", "Tag was removed."),
        ("CLOSED", "", "Enum value State.CLOSED was removed."),
        ("word: String,", "", "Field By.word was removed."),
        ("short: Boolean, ", "", "Argument Query.note(short:) was removed."),
    ],
)
def test_what_was_not_deprecated_stays(old: str, new: str, what: str) -> None:
    assert changed(old, new) == [f"{what} It breaks clients of the last release."]


@pytest.mark.parametrize(
    "old", ["title: String @deprecated,", ", long: Boolean @deprecated", "LOST @deprecated", ", old: String @deprecated"]
)
def test_what_was_deprecated_may_go(old: str) -> None:
    assert changed(old, "") == []


def test_a_type_may_go_with_the_last_field_that_led_to_it() -> None:
    without = TINY.replace('author: Author @deprecated(reason: "Use `text`."),', "").replace("type Author { name: String! }", "")

    assert broken_promises(TINY, without) == []


def test_a_type_stays_that_only_an_interface_in_another_one_leads_to() -> None:
    released = TINY.replace(
        "type Tag implements Node { id: ID! }", "type Tag implements Node { id: ID!, mark: Mark } interface Mark { x: Int }"
    )

    assert broken_promises(f"{released} type Dot implements Mark {{ x: Int }}", released) == [
        "Dot was removed. It breaks clients of the last release."
    ]


def test_a_type_does_not_go_with_a_deprecated_field_while_another_leads_to_it() -> None:
    released = TINY.replace("node: Node", "node: Node, author: Author")
    without = TINY.replace('author: Author @deprecated(reason: "Use `text`."),', "").replace("type Author { name: String! }", "")

    assert broken_promises(released, without)[:1] == ["Author was removed. It breaks clients of the last release."]


def test_what_was_deprecated_only_since_the_release_stays() -> None:
    announced = TINY.replace("text: String,", "text: String @deprecated,")

    assert broken_promises(TINY, announced) == []
    assert len(broken_promises(TINY, announced.replace("text: String @deprecated,", ""))) == 1


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("state: State!", "state: State", "Field Note.state changed type from State! to State."),
        ("name: String!", "name: String", "Field Author.name changed type from String! to String."),
        ("word: String", "word: String!", "Field By.word changed type from String to String!."),
        ("short: Boolean", "short: Boolean!", "Argument Query.note(short:) has changed type from Boolean to Boolean!."),
        ("word: String", "word: String, must: Int!", "A required field By.must was added."),
        ("search(by: By!)", "search(by: By!, must: Int!)", "A required argument Query.search(must:) was added."),
        ("title: String", "title: Int", "Field Note.title changed type from String to Int."),
        ("old: String", "old: String!", "Field By.old changed type from String to String!."),
    ],
)
def test_nothing_is_narrowed_deprecated_or_not(old: str, new: str, what: str) -> None:
    assert changed(old, new) == [f"{what} It breaks clients of the last release."]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("text: String,", "text: String!,"),
        ("by: By!", "by: By"),
        ("CLOSED", "CLOSED STUCK"),
        ("word: String", "word: String, more: Int = 1"),
    ],
)
def test_more_is_always_welcome(old: str, new: str) -> None:
    assert changed(old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("text: String,", "text: String, size: Int,", ["Note.size"]),
        ("CLOSED", "CLOSED STUCK", ["State.STUCK"]),
        ("note(", "note(wide: Boolean, ", ["Query.note(wide:)"]),
        ("LOST @deprecated", "", ["State.LOST"]),
        ("text: String,", "text: String @deprecated,", ["Note.text"]),
        ("enum State", "type Word { text: String! } enum State", ["Word"]),
    ],
)
def test_what_the_changelog_does_not_name_is_untold(old: str, new: str, names: list[str]) -> None:
    now = TINY.replace(old, new)

    assert untold(TINY, now, "Notes are better.") == names
    assert untold(TINY, now, f"- Changed: {', '.join(f'`{name}`' for name in names)}.") == []
