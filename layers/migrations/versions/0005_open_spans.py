"""When places are open: a second value for Ramadan, and a row for each time in which one is, worked out ahead."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSTZRANGE

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the tables, what forgets spans of hours that have changed, and the functions that answer."""
    op.add_column("entries", sa.Column("opening_hours_ramadan", sa.Text), schema="directory")
    op.create_table(
        "schedules",
        sa.Column(
            "entry_id",
            sa.Text,
            sa.ForeignKey("directory.entries.id", onupdate="CASCADE", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("state", sa.Text, nullable=False),
        # The time of which the spans tell; null where nothing is known.
        sa.Column("covered", TSTZRANGE),
        sa.Column("calendar", sa.Text, nullable=False),
        # When the row must be made again.
        sa.Column("due", sa.DateTime(timezone=True), nullable=False, index=True),
        sa.CheckConstraint("state IN ('parsed', 'unparsable')", name="schedules_state_allowed"),
        sa.CheckConstraint("covered IS NOT NULL OR state = 'unparsable'", name="schedules_parsed_are_known"),
        schema="directory",
    )
    op.create_table(
        "open_spans",
        sa.Column(
            "entry_id",
            sa.Text,
            sa.ForeignKey("directory.schedules.entry_id", onupdate="CASCADE", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("schedule", sa.Text, nullable=False),
        sa.Column("span", TSTZRANGE, nullable=False),
        # False where the place may be open in this time, on a condition such as an appointment.
        sa.Column("certain", sa.Boolean, nullable=False),
        sa.CheckConstraint("schedule IN ('usual', 'ramadan')", name="open_spans_schedule_allowed"),
        schema="directory",
    )
    # Which are open at T, and what of one entry began last before T.
    op.execute("CREATE INDEX open_spans_span_idx ON directory.open_spans USING gist (span)")
    op.execute("CREATE UNIQUE INDEX open_spans_entry_idx ON directory.open_spans (entry_id, lower(span))")
    op.execute(
        """
        CREATE FUNCTION directory.forget_schedule() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            DELETE FROM directory.schedules WHERE entry_id = NEW.id;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER entries_hours_changed AFTER UPDATE OF opening_hours, opening_hours_ramadan ON directory.entries
        FOR EACH ROW WHEN (
            (OLD.opening_hours, OLD.opening_hours_ramadan)
            IS DISTINCT FROM (NEW.opening_hours, NEW.opening_hours_ramadan)
        ) EXECUTE FUNCTION directory.forget_schedule()
        """
    )
    op.execute(
        """
        CREATE FUNCTION directory.is_open(entry_id text, at timestamptz) RETURNS boolean
        LANGUAGE sql STABLE PARALLEL SAFE AS $$
            SELECT CASE WHEN o.upper IS NULL OR o.upper <= $2 THEN false WHEN o.certain THEN true END
            FROM directory.schedules s LEFT JOIN LATERAL (
                SELECT upper(span) AS upper, certain FROM directory.open_spans
                WHERE open_spans.entry_id = s.entry_id AND lower(span) <= $2
                ORDER BY lower(span) DESC LIMIT 1
            ) o ON true
            WHERE s.entry_id = $1 AND s.covered @> $2
        $$
        """
    )
    op.execute(
        "COMMENT ON FUNCTION directory.is_open(text, timestamptz) IS "
        "'Whether an entry is open; null where that is not known: no hours, hours that are not understood or depend "
        "on a condition, or a time beyond the horizon.'"
    )
    op.execute(
        """
        CREATE FUNCTION directory.open_at(at timestamptz) RETURNS TABLE (entry_id text)
        LANGUAGE sql STABLE PARALLEL SAFE AS $$
            SELECT entry_id FROM directory.open_spans WHERE span @> at AND certain
        $$
        """
    )
    op.execute(
        "COMMENT ON FUNCTION directory.open_at(timestamptz) IS "
        "'The entries that are open, by index: WHERE id IN (SELECT entry_id FROM directory.open_at(now())).'"
    )
