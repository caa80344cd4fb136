"""The command `query`: one operation, or all the pages of its list, written as they come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TextIO

from gateway.client import json_text
from gateway.client.columns import columns_of
from gateway.client.complaints import Complaints
from gateway.client.document import Document
from gateway.client.endpoint import Answer, Endpoint, NoAnswer
from gateway.client.exits import Exit, worse
from gateway.client.paging import NoEnd, Paging, find_paging
from gateway.client.progress import Progress
from gateway.client.rows import Place, find_rows
from gateway.client.sheets import CsvSheet, JsonSheet, NdjsonSheet, Sheet, TableSheet
from gateway.client.waterfall import to_lines

Format = Literal["json", "ndjson", "csv", "table"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked, and how the answer is written."""

    document: Document
    variables: Mapping[str, object] = field(default_factory=dict)
    format: Format = "json"
    is_all_pages: bool = False
    is_traced: bool = False

    def __post_init__(self) -> None:
        """See that there are pages where all of them are wanted. Raises `Mistake`."""
        if self.is_all_pages:
            find_paging(self.document)


async def ask(question: Question, endpoint: Endpoint, out: TextIO, progress: Progress) -> Exit:
    """Ask and write the answer. Raises `Mistake` when the document is not fit for what is wanted."""
    asking = _Asking(question, endpoint, out, progress)
    try:
        if question.is_all_pages:
            await asking.all_pages(find_paging(question.document))
        else:
            await asking.once()
    except (NoAnswer, NoEnd) as error:
        progress.say(str(error))
        return worse(asking.complaints.code, Exit.FAILED)
    return asking.complaints.code


class _Asking:
    """One run of the command."""

    def __init__(self, question: Question, endpoint: Endpoint, out: TextIO, progress: Progress) -> None:
        self.complaints = Complaints(question.document, progress.say)
        self._question = question
        self._endpoint = endpoint
        self._out = out
        self._progress = progress

    async def once(self) -> None:
        """Ask once. What there is of an answer is written, also where some of it failed."""
        answer = await self._ask(self._question.variables)
        if answer.data is None:
            return
        if self._question.format == "json":
            self._out.write(f"{json_text.indented(answer.data)}\n")
            return
        place = find_rows(self._question.document.fields, answer.data)
        sheet = self._sheet(place)
        sheet.write(place.rows_of(answer.data))
        sheet.end()

    async def all_pages(self, paging: Paging) -> None:
        """Ask page by page; of each there is only one in memory."""
        self.complaints.hint()
        place, variables = paging.connection.place, dict(self._question.variables)
        sheet = self._sheet(place)
        pages = rows = 0
        while True:
            try:
                answer = await self._ask(variables)
                is_there = answer.data is not None and paging.is_there(answer.data)
            except NoAnswer:
                self._say_how_to_go_on(paging, variables)
                raise
            if not is_there:
                self.complaints.fail()
                self._say_how_to_go_on(paging, variables)
                return
            found = place.rows_of(answer.data)
            sheet.write(found)
            pages, rows = pages + 1, rows + len(found)
            cursor = paging.next_cursor(answer.data, variables.get(paging.variable))
            self._show(pages, rows, is_last=cursor is None)
            if cursor is None:
                break
            variables[paging.variable] = cursor
        sheet.end()

    async def _ask(self, variables: Mapping[str, object]) -> Answer:
        document = self._question.document
        name = {} if document.operation_name is None else {"operationName": document.operation_name}
        headers = {"x-gateway-trace": "1"} if self._question.is_traced else {}
        answer = await self._endpoint.ask({"query": document.text, "variables": variables, **name}, headers)
        self.complaints.take(answer)
        if self._question.is_traced:
            self._trace(answer)
        return answer

    def _trace(self, answer: Answer) -> None:
        calls = answer.extensions.get("upstreamCalls")
        if isinstance(calls, list):
            for line in to_lines(calls):
                self._progress.say(line)
        else:
            self._progress.say("--trace: the gateway does not tell its upstream calls; callers need the explorer permission")

    def _sheet(self, place: Place) -> Sheet:
        columns = list(columns_of(place.fields))
        match self._question.format:
            case "csv":
                return CsvSheet(self._out, columns)
            case "table":
                return TableSheet(self._out, columns)
            case "ndjson":
                return NdjsonSheet(self._out)
            case _:
                return JsonSheet(self._out)

    def _show(self, pages: int, rows: int, *, is_last: bool) -> None:
        rate = self._progress.rate_of
        self._progress.show(lambda: f"pages {pages}, rows {rows}, {rate(rows)}", is_last=is_last)

    def _say_how_to_go_on(self, paging: Paging, variables: Mapping[str, object]) -> None:
        cursor = variables.get(paging.variable)
        if cursor is not None:
            self._progress.say(f"{paging.connection.title}: it ends here; it goes on with --variables {json_text.compact(variables)}")
