"""HTML out of parts."""

from __future__ import annotations

from gateway.server.markup import Markup, element, raw, together


def test_text_is_escaped_in_content_and_attributes() -> None:
    assert element("a", "<b> & 'c'", href='/?q="<x>') == '<a href="/?q=&quot;&lt;x&gt;">&lt;b&gt; &amp; &#x27;c&#x27;</a>'


def test_markup_is_taken_as_it_is_and_text_beside_it_is_not() -> None:
    assert element("p", element("b", "1 < 2"), " <i>") == "<p><b>1 &lt; 2</b> &lt;i&gt;</p>"


def test_what_is_made_of_markup_by_other_means_is_text_again() -> None:
    assert together(f"{element('b', 'x')}<i>") == "&lt;b&gt;x&lt;/b&gt;&lt;i&gt;"
    assert type(raw("a") + "<") is not Markup


def test_names_of_attributes_are_those_of_html() -> None:
    made = element("td", class_="note", aria_label="A", data_head="B", id=None)

    assert made == '<td class="note" aria-label="A" data-head="B"></td>'


def test_an_element_without_content_is_not_closed() -> None:
    assert element("meta", charset="utf-8") == '<meta charset="utf-8">'
