"""How the tables came to be: one file a step. A step that was released is never changed.

Those in `versions/` change what the journal is: a gateway that does not know one of them does not touch it. Those in `additions/` add
tables that a gateway without them does not miss, so that an older version may run, and be started, beside this one.

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
from gateway.journal.versions import ADDITIONS_TABLE, VERSION_TABLE

_FOLDER: Final = Path(__file__).parent


async def migrate(database: Database) -> None:
    """Make the tables, or bring them up to date; of several processes one does it and the others wait.

    Raises `SettingsError` for a journal of a newer version, and `JournalUnavailable`.
    """

    async def work(connection: AsyncConnection) -> None:
        await database.backend.lock(connection, "migrate")
        await connection.run_sync(_upgrade)

    await database.write(work)


def _upgrade(connection: Connection) -> None:
    if not _take_steps(connection, "versions", VERSION_TABLE):
        raise SettingsError("server.state: the journal was made by a newer version of the gateway")
    _take_steps(connection, "additions", ADDITIONS_TABLE)


def _take_steps(connection: Connection, folder: str, version_table: str) -> bool:
    """Take the steps of a folder that the database has not seen; False, and none is taken, where it has seen some that are not there."""
    scripts = ScriptDirectory(str(_FOLDER), version_locations=[str(_FOLDER / folder)])
    context = MigrationContext.configure(connection, opts={"version_table": version_table})
    steps = list(reversed(list(scripts.walk_revisions())))
    current = context.get_current_revision()
    revisions = [None, *(step.revision for step in steps)]
    if current not in revisions:
        return False
    for step in steps[revisions.index(current) :]:
        step.module.upgrade(Operations(context))
        context.stamp(scripts, step.revision)
    return True
