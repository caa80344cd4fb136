"""Which steps this version of the gateway knows, and whether a database has taken all of them."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.errors import JournalUnavailable
from gateway.journal.database import Database

VERSION_TABLE: Final = "journal_version"
"""Its own name: the database may be another program's too."""
ADDITIONS_TABLE: Final = "journal_additions"
LAST_STEPS: Final = MappingProxyType({VERSION_TABLE: "0001", ADDITIONS_TABLE: "a0002"})
"""What each table says when nothing is left to do."""


async def is_up_to_date(database: Database) -> bool:
    """Say whether no step is left; also False where the database cannot be asked, or has none of the tables."""

    async def seen(connection: AsyncConnection) -> dict[str, object]:
        return {table: (await connection.execute(text(f"SELECT version_num FROM {table}"))).scalar() for table in LAST_STEPS}  # noqa: S608

    try:
        return await database.read(seen) == dict(LAST_STEPS)
    except JournalUnavailable:
        return False
