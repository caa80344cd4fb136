"""The journal. Every change of an attempt starts from the revision that its maker knows; leases only say how long others wait."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, delete, false, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.errors import JournalUnavailable, SettingsError
from gateway.journal.database import Database, Work
from gateway.journal.tables import ATTEMPTS, BODIES, HOLDS, MENTIONS, to_attempt
from gateway.journal.takings import TakingsTable
from gateway.journal.tokens import TokenTable
from gateway.journal.versions import is_up_to_date
from gateway.journal.windows import WindowTable
from gateway.model import Attempt, AttemptQuery, AttemptState, Intent, Kind, MutationOutcome, Ref, Settlement

_BATCH: Final = 200
_PAUSE_SECONDS: Final = 0.02
_LONGEST_TARGET: Final = 400

_IN_FLIGHT: Final = ATTEMPTS.c.state != AttemptState.SETTLED
_IS_RECEIVED: Final = ATTEMPTS.c.state == AttemptState.RECEIVED  # an index knows it; what is not SETTLED, it would have to look for
_IS_SENDING: Final = ATTEMPTS.c.state == AttemptState.SENDING
_IS_UNKNOWN: Final = and_(ATTEMPTS.c.state == AttemptState.SETTLED, ATTEMPTS.c.outcome == MutationOutcome.UNKNOWN)
_IS_SETTLED: Final = and_(ATTEMPTS.c.state == AttemptState.SETTLED, ATTEMPTS.c.outcome != MutationOutcome.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Bodies:
    """The two bodies of an attempt, opaque to the journal. None: there is none, or it is no longer kept."""

    sent: str | None = None
    settled: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """How many attempts a clean-up took the bodies from, and how many it took out of the trail."""

    bodies: int
    trails: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """How many attempts lost their bodies, how many their subject, and which are kept because nobody knows yet what became of them."""

    bodies: int
    subjects: int
    kept: tuple[Attempt, ...]


class Journal:
    """Keeps attempts. Every method raises `JournalUnavailable` when the database does not do what is asked."""

    def __init__(self, state: str, *, now: Callable[[], datetime], lease_seconds: float = 10.0, wait_seconds: float = 2.0) -> None:
        """Make the journal at an address such as `sqlite:///gateway.db`; nothing is touched before `open`.

        `wait_seconds`: how long to wait while another process has the database locked. Raises `SettingsError`.
        """
        self._database = Database.at(state, wait_seconds=wait_seconds)
        self._now = now
        self._lease = timedelta(seconds=lease_seconds)
        self.tokens = TokenTable(self._database, now)
        self.takings = TakingsTable(self._database, now)
        self.windows = WindowTable(self._database, now)

    def claim(self) -> None:
        """Fix which database it is, before processes are made that will open it: none of them makes another. Raises `SettingsError`."""
        self._database.backend.make()

    async def open(self) -> None:
        """Make the tables or bring them up to date. Raises `SettingsError`, in one line without password, when it cannot be used."""
        try:
            self._database.backend.make()
            if not await is_up_to_date(self._database):
                await _migrate(self._database)
            await self._database.write(_try_to_write)
        except JournalUnavailable as error:
            await self.aclose()
            raise SettingsError(f"server.state: {error.message}") from None
        except BaseException:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        """Wait for what is under way and close; a journal in memory is gone then."""
        await self._database.aclose()

    # ------------------------------------------------------------------ the way of an attempt

    async def find(self, caller: str, key: str) -> Attempt | None:
        """Give what became of a key; None: it was never used."""
        return await self._database.read(lambda connection: _one(connection, _has_key(caller, key)))

    async def receive(self, intent: Intent) -> tuple[Attempt, bool]:
        """Take an intent down, or take its key over where nothing was done under it. False: the key is another's, whose attempt it is."""

        async def work(connection: AsyncConnection) -> tuple[Attempt, bool]:
            await self._database.backend.lock(connection, f"key/{intent.caller}/{intent.key}")
            found = await _one(connection, _has_key(intent.caller, intent.key))
            if found is None:
                return await _insert(connection, intent, self._received(intent)), True
            if not (found.may_be_taken_over(self._now()) and _fits(found, intent)):
                return found, False
            taken = await _change(connection, found, **self._received(intent))
            if taken is None:
                return await _by_id(connection, found.id), False
            await _release(connection, found.id)
            await _drop_bodies(connection, [found.id])
            return taken, True

        return await self._database.write(work)

    async def hold(self, attempt: Attempt, targets: Collection[str]) -> Attempt | None:
        """Hold all the targets for an attempt that is not sent yet, or none of them; and renew its lease.

        None: they are held. Else who is in the way: the attempt that holds one of them; or `attempt` itself as it is now, when it
        is no longer the caller's. Who took a target and died before sending anything loses it, and can no longer send.
        """
        names = sorted({_storable(target) for target in targets})

        async def work(connection: AsyncConnection) -> Attempt | None:
            await self._database.backend.lock(connection, f"holds/{attempt.intent.source}")
            if not await self._renew(connection, attempt):
                return await _by_id(connection, attempt.id)
            wanted = and_(HOLDS.c.source == attempt.intent.source, HOLDS.c.target.in_(names))
            held = (await connection.execute(select(HOLDS.c.target, HOLDS.c.attempt_id).where(wanted).order_by(HOLDS.c.target))).all()
            for holder_id in dict.fromkeys(row.attempt_id for row in held if row.attempt_id != attempt.id):
                in_the_way = await self._break(connection, holder_id)
                if in_the_way is not None:
                    return in_the_way
            mine = {row.target for row in held if row.attempt_id == attempt.id}
            missing = [{"source": attempt.intent.source, "target": name, "attempt_id": attempt.id} for name in names if name not in mine]
            if missing:
                await connection.execute(insert(HOLDS), missing)
            return None

        return await self._database.write(work)

    async def earlier(self, source: str, number: str, *, besides: int | None = None) -> Attempt | None:
        """Give the newest other attempt that has made an invoice with that number, or may have, or is about to; None: there is none."""
        may_be_there = or_(
            ATTEMPTS.c.state == AttemptState.SENDING,
            and_(ATTEMPTS.c.state == AttemptState.SETTLED, ATTEMPTS.c.outcome.in_([MutationOutcome.APPLIED, MutationOutcome.UNKNOWN])),
        )
        query = select(ATTEMPTS).where(ATTEMPTS.c.source == source, ATTEMPTS.c.number == number, may_be_there)
        if besides is not None:
            query = query.where(ATTEMPTS.c.id != besides)
        found = await self._all(query.order_by(ATTEMPTS.c.id.desc()).limit(1))
        return found[0] if found else None

    async def send(
        self,
        attempt: Attempt,
        *,
        body: str,
        subject: str | None,
        number: str | None,
        result: Ref | None,
        mentions: Collection[tuple[str, str]] = (),
    ) -> Attempt | None:
        """Take down that it is about to be sent; that is on the disk when this returns. None: it is another's, so send nothing.

        `body`: what is to be sent. `mentions`: kind and native id of the objects it is about, for `forget`.
        """

        async def work(connection: AsyncConnection) -> Attempt | None:
            await self._database.backend.make_durable(connection)
            now = self._now()
            sending = await _change(
                connection,
                attempt,
                ATTEMPTS.c.state == AttemptState.RECEIVED,
                state=AttemptState.SENDING,
                sent_at=now,
                lease_until=now + self._lease,
                subject=subject,
                number=number,
                **_columns_of(result),
            )
            if sending is None:
                return None
            await connection.execute(insert(BODIES).values(attempt_id=attempt.id, sent=body))
            rows = [{"attempt_id": attempt.id, "kind": kind, "native_id": native_id} for kind, native_id in sorted(set(mentions))]
            if rows:
                await connection.execute(insert(MENTIONS), rows)
            return sending

        return await self._database.write(work)

    async def settle(self, attempt: Attempt, settlement: Settlement) -> Attempt:
        """Take down how it ended; what it holds is free then, unless that is UNKNOWN.

        Gives the attempt as it is afterwards: as somebody else has left it, when it was changed meanwhile. What is known for good
        is never changed.
        """

        async def work(connection: AsyncConnection) -> Attempt:
            values: dict[str, object] = {"state": AttemptState.SETTLED, "outcome": settlement.outcome, "settled_at": self._now()}
            values |= {} if settlement.result is None else _columns_of(settlement.result)
            values |= {} if settlement.upstream_status is None else {"upstream_status": settlement.upstream_status}
            settled = await _change(connection, attempt, or_(_IN_FLIGHT, _IS_UNKNOWN), **values)
            if settled is None:
                return await _by_id(connection, attempt.id)
            if settled.is_settled:
                await _release(connection, attempt.id)
            if settlement.body is not None:
                await _keep_answer(connection, attempt.id, settlement.body)
            return settled

        return await self._database.write(work)

    # ------------------------------------------------------------------ reading

    async def bodies(self, ids: Collection[int]) -> Mapping[int, Bodies]:
        """Give the bodies of attempts by attempt id; one of which nothing is kept is left out."""
        query = select(BODIES).where(BODIES.c.attempt_id.in_(sorted(set(ids))))

        async def work(connection: AsyncConnection) -> Mapping[int, Bodies]:
            return {row.attempt_id: Bodies(row.sent, row.settled) for row in await connection.execute(query)}

        return await self._database.read(work) if ids else {}

    async def unsettled(self) -> list[Attempt]:
        """Give the attempts that were sent and of which nobody knows what became, nobody being at work on them: oldest first."""
        left_behind = and_(ATTEMPTS.c.state == AttemptState.SENDING, ATTEMPTS.c.lease_until <= self._now())
        return await self._all(select(ATTEMPTS).where(or_(_IS_UNKNOWN, left_behind)).order_by(ATTEMPTS.c.id))

    async def open_counts(self) -> dict[str, int]:
        """Count the attempts that are not settled for good: by their state those in flight, and those whose outcome is UNKNOWN."""
        are_open = or_(_IS_RECEIVED, _IS_SENDING, _IS_UNKNOWN)
        query = select(ATTEMPTS.c.state, func.count().label("attempts")).where(are_open).group_by(ATTEMPTS.c.state)

        async def work(connection: AsyncConnection) -> dict[str, int]:
            return {row.state: row.attempts for row in await connection.execute(query)}

        found = await self._database.read(work)
        return {
            AttemptState.RECEIVED.value: found.get(AttemptState.RECEIVED, 0),
            AttemptState.SENDING.value: found.get(AttemptState.SENDING, 0),
            MutationOutcome.UNKNOWN.value: found.get(AttemptState.SETTLED, 0),
        }

    async def attempts(self, query: AttemptQuery, *, before: int | None, size: int) -> list[Attempt]:
        """Give at most `size` attempts of the trail, newest first; `before` is the id of the last one of the page before."""
        conditions = [ATTEMPTS.c.in_trail, *_conditions_of(query)]
        if before is not None:
            conditions.append(ATTEMPTS.c.id < before)
        return await self._all(select(ATTEMPTS).where(*conditions).order_by(ATTEMPTS.c.id.desc()).limit(size))

    async def made(
        self,
        source: str,
        *,
        native_ids: Collection[str] | None = None,
        number: str | None = None,
        mention: tuple[str, str] | None = None,
        after: int | None = None,
        size: int = 100,
    ) -> list[tuple[Attempt, Bodies]]:
        """Give at most `size` attempts that have made an invoice and of which the body sent is kept, oldest first.

        `native_ids` and `number`: of these invoices only; `mention`: of those about that kind and native id. `after` is the id of the
        last attempt of the page before.
        """
        query = (
            select(ATTEMPTS, BODIES.c.sent, BODIES.c.settled)
            .join(BODIES, BODIES.c.attempt_id == ATTEMPTS.c.id)
            .where(
                ATTEMPTS.c.source == source,
                ATTEMPTS.c.result_kind == Kind.INVOICE,
                ATTEMPTS.c.state == AttemptState.SETTLED,
                ATTEMPTS.c.outcome == MutationOutcome.APPLIED,
                BODIES.c.sent.is_not(None),
            )
            .order_by(ATTEMPTS.c.id)
            .limit(size)
        )
        if native_ids is not None:
            query = query.where(ATTEMPTS.c.result_id.in_(sorted(set(native_ids))))
        if number is not None:
            query = query.where(ATTEMPTS.c.number == number)
        if mention is not None:
            of_it = select(MENTIONS.c.attempt_id).where(MENTIONS.c.kind == mention[0], MENTIONS.c.native_id == mention[1])
            query = query.where(ATTEMPTS.c.id.in_(of_it))
        if after is not None:
            query = query.where(ATTEMPTS.c.id > after)

        async def work(connection: AsyncConnection) -> list[tuple[Attempt, Bodies]]:
            return [(to_attempt(row), Bodies(row.sent, row.settled)) for row in await connection.execute(query)]

        return await self._database.read(work)

    async def adopt(self, former: str, source: str) -> None:
        """Count what was written to a source under a key that it had formerly as written under its key of now."""
        held = HOLDS.alias()
        taken = select(held.c.target).where(held.c.source == source)

        async def work(connection: AsyncConnection) -> None:
            await self._database.backend.lock(connection, f"holds/{source}")
            await connection.execute(update(ATTEMPTS).where(ATTEMPTS.c.source == former).values(source=source))
            await connection.execute(update(HOLDS).where(HOLDS.c.source == former, HOLDS.c.target.not_in(taken)).values(source=source))

        await self._database.write(work)

    # ------------------------------------------------------------------ forgetting

    async def clean(self, *, keep_days: int, audit_days: int) -> Cleaned:
        """Drop the bodies of what was settled `keep_days` ago, and after `audit_days` all but the key and what became of it.

        Never touches what is UNKNOWN or in flight. Works in small steps, so that nobody who writes has to wait for long.
        """
        now = self._now()
        told = and_(_IS_SETTLED, ATTEMPTS.c.settled_at <= now - timedelta(days=audit_days), ATTEMPTS.c.in_trail)

        async def end_trails(connection: AsyncConnection) -> int:
            ids = await _ids(connection, select(ATTEMPTS.c.id).where(told).with_for_update(skip_locked=True))
            blank = {"subject": None, "number": None, "result_kind": None, "result_id": None, "request_id": "", "in_trail": False}
            await connection.execute(update(ATTEMPTS).where(ATTEMPTS.c.id.in_(ids)).values(blank))
            return len(ids)

        bodies = await self._drop_bodies(ATTEMPTS.c.settled_at <= now - timedelta(days=keep_days))
        return Cleaned(bodies=bodies, trails=await self._in_steps(end_trails))

    async def forget(self, source: str, native_id: str) -> Forgotten:
        """Drop the bodies of attempts that mention an object of a source or have made it, and its id where it stands as subject.

        Attempts that are UNKNOWN or in flight are left as they are: what they keep is needed to find out what became of them. The
        windows of the source are dropped whole: they are sealed, and read again.
        """
        await self.windows.forget(source)
        mentioning = select(MENTIONS.c.attempt_id).where(MENTIONS.c.native_id == native_id)
        about = or_(ATTEMPTS.c.id.in_(mentioning), ATTEMPTS.c.result_id == native_id)
        named = and_(ATTEMPTS.c.source == source, ATTEMPTS.c.subject == native_id)

        async def blank_subjects(connection: AsyncConnection) -> int:
            ids = await _ids(connection, select(ATTEMPTS.c.id).where(named, _IS_SETTLED).with_for_update())
            await connection.execute(update(ATTEMPTS).where(ATTEMPTS.c.id.in_(ids)).values(subject=None))
            return len(ids)

        open_ones = select(ATTEMPTS).where(ATTEMPTS.c.source == source, or_(about, named), or_(_IN_FLIGHT, _IS_UNKNOWN))
        return Forgotten(
            bodies=await self._drop_bodies(ATTEMPTS.c.source == source, about),
            subjects=await self._in_steps(blank_subjects),
            kept=tuple(await self._all(open_ones.order_by(ATTEMPTS.c.id))),
        )

    async def _drop_bodies(self, *conditions: ColumnElement[bool]) -> int:
        with_bodies = select(ATTEMPTS.c.id).join(BODIES, BODIES.c.attempt_id == ATTEMPTS.c.id).where(_IS_SETTLED, *conditions)

        async def step(connection: AsyncConnection) -> int:
            # Locked, so that nobody takes the key over and sends under it in between.
            ids = await _ids(connection, with_bodies.with_for_update(of=ATTEMPTS))
            await _drop_bodies(connection, ids)
            return len(ids)

        return await self._in_steps(step)

    async def _in_steps(self, step: Work[int]) -> int:
        """Repeat a step, each time in a transaction of its own, until it finds less than it may take. Gives how much it found in all."""
        total = found = await self._database.write(step)
        while found == _BATCH:
            await asyncio.sleep(_PAUSE_SECONDS)  # also for writers in other processes, which ask again from time to time only
            found = await self._database.write(step)
            total += found
        return total

    # ------------------------------------------------------------------ parts of transactions

    def _received(self, intent: Intent) -> dict[str, object]:
        """Give the columns of an attempt of which nothing is known but what is wanted."""
        now = self._now()
        return {
            "mutation": intent.mutation,
            "source": intent.source,
            "input_hash": intent.input_hash,
            "request_id": intent.request_id,
            "state": AttemptState.RECEIVED,
            "outcome": None,
            "received_at": now,
            "lease_until": now + self._lease,
            "sent_at": None,
            "settled_at": None,
            "upstream_status": None,
            "subject": None,
            "number": None,
            "in_trail": True,
            **_columns_of(None),
        }

    async def _renew(self, connection: AsyncConnection, attempt: Attempt) -> bool:
        """Say whether an attempt is still the caller's and not sent, and keep it so for another lease."""
        is_mine = and_(ATTEMPTS.c.id == attempt.id, ATTEMPTS.c.revision == attempt.revision, ATTEMPTS.c.state == AttemptState.RECEIVED)
        renewed = await connection.execute(update(ATTEMPTS).where(is_mine).values(lease_until=self._now() + self._lease))
        return renewed.rowcount == 1

    async def _break(self, connection: AsyncConnection, holder_id: int) -> Attempt | None:
        """Free what a dead attempt holds, and settle it so that it can no longer be sent. Gives the holder where it is not dead."""
        now = self._now()
        holder = await _by_id(connection, holder_id)
        if holder.state is AttemptState.RECEIVED and not holder.is_in_hand(now):
            values = {"state": AttemptState.SETTLED, "outcome": MutationOutcome.NOT_APPLIED, "settled_at": now}
            if await _change(connection, holder, ATTEMPTS.c.lease_until <= now, **values):
                await _release(connection, holder.id)
                return None
            holder = await _by_id(connection, holder_id)
        return None if holder.is_settled else holder

    async def _all(self, query: Select[Any]) -> list[Attempt]:
        async def work(connection: AsyncConnection) -> list[Attempt]:
            return [to_attempt(row) for row in await connection.execute(query)]

        return await self._database.read(work)


def _has_key(caller: str, key: str) -> ColumnElement[bool]:
    return and_(ATTEMPTS.c.caller == caller, ATTEMPTS.c.key == key)


def _fits(attempt: Attempt, intent: Intent) -> bool:
    """Say whether an intent may follow on an attempt of which nothing was done."""
    known = attempt.intent
    is_same = (known.mutation, known.source, known.input_hash) == (intent.mutation, intent.source, intent.input_hash)
    return is_same or attempt.takes_other_input


def _conditions_of(query: AttemptQuery) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if query.sources is not None:
        found.append(ATTEMPTS.c.source.in_(sorted(query.sources)))
    if query.caller is not None:
        found.append(ATTEMPTS.c.caller == query.caller)
    if query.outcomes is not None:
        found.append(ATTEMPTS.c.outcome.in_(sorted(query.outcomes)))
    if query.in_flight is not None:
        found.append(_IN_FLIGHT if query.in_flight else ATTEMPTS.c.state == AttemptState.SETTLED)
    if query.result is not None:
        found.append(ATTEMPTS.c.source == query.result.source)
        found.append(ATTEMPTS.c.result_kind == query.result.kind)
        found.append(ATTEMPTS.c.result_id == query.result.native_id)
    if query.since is not None:
        found.append(ATTEMPTS.c.received_at >= query.since)
    if query.until is not None:
        found.append(ATTEMPTS.c.received_at < query.until)
    return found


def _columns_of(result: Ref | None) -> dict[str, object]:
    """Give the columns of a result. Its source is the attempt's, its hint is no part of what it is."""
    return {"result_kind": None, "result_id": None} if result is None else {"result_kind": result.kind, "result_id": result.native_id}


def _storable(target: str) -> str:
    """Give a target as it is kept: what is too long for an index, or no text for every database, as its digest."""
    if len(target) <= _LONGEST_TARGET and target.isprintable():
        return target
    return f"sha256/{hashlib.sha256(target.encode('utf-8', 'surrogatepass')).hexdigest()}"


async def _migrate(database: Database) -> None:
    from gateway.journal.migrations import migrate  # noqa: PLC0415  (Alembic: 12 MB and 80 ms that most starts can do without)

    await migrate(database)


async def _try_to_write(connection: AsyncConnection) -> None:
    """Change nothing: whoever may only read is told so at the start, and not when the first write comes."""
    await connection.execute(update(ATTEMPTS).where(false()).values(revision=0))


async def _one(connection: AsyncConnection, condition: ColumnElement[bool]) -> Attempt | None:
    row = (await connection.execute(select(ATTEMPTS).where(condition))).one_or_none()
    return None if row is None else to_attempt(row)


async def _by_id(connection: AsyncConnection, attempt_id: int) -> Attempt:
    return to_attempt((await connection.execute(select(ATTEMPTS).where(ATTEMPTS.c.id == attempt_id))).one())


async def _insert(connection: AsyncConnection, intent: Intent, columns: Mapping[str, object]) -> Attempt:
    values = {"caller": intent.caller, "key": intent.key, "revision": 1, **columns}
    return to_attempt((await connection.execute(insert(ATTEMPTS).values(values).returning(*ATTEMPTS.c))).one())


async def _change(connection: AsyncConnection, attempt: Attempt, *conditions: ColumnElement[bool], **values: object) -> Attempt | None:
    """Change an attempt from the revision that is known to the next. None: it has another revision now, or does not fit."""
    is_known = (ATTEMPTS.c.id == attempt.id, ATTEMPTS.c.revision == attempt.revision, *conditions)
    changed = update(ATTEMPTS).where(*is_known).values(revision=attempt.revision + 1, **values).returning(*ATTEMPTS.c)
    row = (await connection.execute(changed)).one_or_none()
    return None if row is None else to_attempt(row)


async def _release(connection: AsyncConnection, attempt_id: int) -> None:
    await connection.execute(delete(HOLDS).where(HOLDS.c.attempt_id == attempt_id))


async def _keep_answer(connection: AsyncConnection, attempt_id: int, body: str) -> None:
    kept = await connection.execute(update(BODIES).where(BODIES.c.attempt_id == attempt_id).values(settled=body))
    if kept.rowcount == 0:
        await connection.execute(insert(BODIES).values(attempt_id=attempt_id, settled=body))


async def _drop_bodies(connection: AsyncConnection, ids: Collection[int]) -> None:
    """Drop the bodies of attempts, and what they mention, which serves to find the bodies only."""
    await connection.execute(delete(BODIES).where(BODIES.c.attempt_id.in_(ids)))
    await connection.execute(delete(MENTIONS).where(MENTIONS.c.attempt_id.in_(ids)))


async def _ids(connection: AsyncConnection, query: Select[tuple[int]]) -> list[int]:
    """Give the ids of one step, in an order that all steps share, so that none waits for another in a circle."""
    return list(await connection.scalars(query.order_by(ATTEMPTS.c.id).limit(_BATCH)))
