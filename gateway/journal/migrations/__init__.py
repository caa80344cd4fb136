"""How the tables came to be: one file a step in `versions/`. A step that was released is never changed.

The steps are run here and not by Alembic's own command, which keeps what it works on in module globals: two journals that are
opened at once in one process would migrate each other's database.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.errors import SettingsError
from gateway.journal.database import Database

VERSION_TABLE: Final = "journal_version"
"""Its own name: the database may be another program's too."""


async def migrate(database: Database) -> None:
    """Make the tables, or bring them up to date; of several processes one does it and the others wait.

    Raises `SettingsError` for a journal of a newer version, and `JournalUnavailable`.
    """

    async def work(connection: AsyncConnection) -> None:
        await database.backend.lock(connection, "migrate")
        await connection.run_sync(_upgrade)

    await database.write(work)


def _upgrade(connection: Connection) -> None:
    scripts = ScriptDirectory(str(Path(__file__).parent))
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    steps = list(reversed(list(scripts.walk_revisions())))
    current = context.get_current_revision()
    revisions = [None, *(step.revision for step in steps)]
    if current not in revisions:
        raise SettingsError("server.state: the journal was made by a newer version of the gateway")
    for step in steps[revisions.index(current) :]:
        step.module.upgrade(Operations(context))
        context.stamp(scripts, step.revision)
