"""Keeps the spans in which entries are open, over a horizon that rolls on.

What is missing shows in the database itself: entries with hours and no schedule (new, or changed, which a trigger sees
to), schedules made with another calendar, and such as are due. So to refresh is to do what is needed, no more.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, cast

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from geo.errors import Unavailable
from layers.database import admin_engine
from layers.hours.calendar import ZONE, Calendar, load_calendar
from layers.hours.spans import Hours, instant, open_hours
from layers.migrate import UPGRADE_LOCK

#: Days from today that spans are made for, and how many must at least be left of them.
AHEAD = 75
LEAST = 70
#: Entries that are made at once: what is held in memory.
_BATCH = 5000
_NEEDED = """
    SELECT e.id, e.opening_hours, e.opening_hours_ramadan FROM directory.entries e
    LEFT JOIN directory.schedules s ON s.entry_id = e.id
    WHERE coalesce(e.opening_hours, e.opening_hours_ramadan) IS NOT NULL
    AND (s.entry_id IS NULL OR s.calendar <> %(calendar)s OR s.due <= %(now)s) AND e.id > %(after)s
    ORDER BY e.id LIMIT %(batch)s
"""


def refresh(connection: Connection, calendar: Calendar, now: dt.datetime | None = None) -> int:
    """Make the spans that are missing, in the transaction of a caller that has the lock of those who load data.

    Returns the number of entries whose spans were made.

    Parameters
    ----------
    now : datetime, optional
        The time, with its zone; that of the machine by default.
    """
    now = now or dt.datetime.now(dt.UTC)
    today = now.astimezone(ZONE).date()
    start, end = today - dt.timedelta(days=1), today + dt.timedelta(days=AHEAD)
    raw = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    # Entries that have lost their hours have lost their schedule by the trigger.
    made: dict[tuple[str | None, str | None], Hours] = {}
    count, after = 0, ""
    with raw.cursor() as cursor:
        while True:
            values = {"calendar": calendar.fingerprint, "now": now, "after": after, "batch": _BATCH}
            rows = cursor.execute(_NEEDED, values).fetchall()
            if not rows:
                return count
            for _, usual, ramadan in rows:
                if (usual, ramadan) not in made:
                    made[usual, ramadan] = open_hours(usual, ramadan, calendar, start, end)
            _store(cursor, [(key, made[usual, ramadan]) for key, usual, ramadan in rows], calendar, start, end)
            count, after = count + len(rows), rows[-1][0]


def _store(
    cursor: psycopg.Cursor[Any], rows: list[tuple[str, Hours]], calendar: Calendar, start: dt.date, end: dt.date
) -> None:
    """Write schedules and spans in place of those that entries have."""
    cursor.execute("DELETE FROM directory.schedules WHERE entry_id = ANY(%s)", ([key for key, _ in rows],))
    covered = f"[{instant(start).isoformat()},{instant(end).isoformat()})"
    due = instant(end - dt.timedelta(days=LEAST))
    with cursor.copy("COPY directory.schedules (entry_id, state, covered, calendar, due) FROM STDIN") as copy:
        for key, hours in rows:
            state = "parsed" if hours.parsed else "unparsable"
            copy.write_row((key, state, covered if hours.known else None, calendar.fingerprint, due))
    with cursor.copy("COPY directory.open_spans (entry_id, schedule, span, certain) FROM STDIN") as copy:
        for key, hours in rows:
            for span in hours.spans:
                written = f"[{span.start.isoformat()},{span.end.isoformat()})"
                copy.write_row((key, span.schedule, written, span.certain))


def extend(url: str, data_dir: Path, now: dt.datetime | None = None) -> int:
    """Roll the horizon on: make the spans that are missing, in a transaction of its own.

    Does nothing while another process does so, or loads data, as that makes the spans of what it loads.

    Raises
    ------
    Unavailable
        When the database refuses.
    DefinitionError
        When ``data/holidays.yaml`` is wrong.
    """
    calendar = load_calendar(data_dir)
    try:
        with admin_engine(url).begin() as connection:
            # Somebody may have an entry open in an editor.
            connection.execute(text("SET LOCAL lock_timeout = '5s'"))
            if not connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK}):
                return 0
            count = refresh(connection, calendar, now)
        if count:
            with admin_engine(url).connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT").execute(
                    text("ANALYZE directory.schedules, directory.open_spans")
                )
    except (DBAPIError, psycopg.Error) as error:
        raise Unavailable("database.refused", log=str(error)) from error
    return count
