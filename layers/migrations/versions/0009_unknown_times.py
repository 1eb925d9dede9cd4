"""Times of which nothing is known, apart from such as depend on a condition; all spans are made again."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Allow spans without a schedule, and forget the spans that were made without them."""
    op.execute("ALTER TABLE directory.open_spans DROP CONSTRAINT open_spans_schedule_allowed")
    op.create_check_constraint(
        "open_spans_schedule_allowed", "open_spans", "schedule IN ('usual', 'ramadan', 'unknown')", schema="directory"
    )
    op.execute("DELETE FROM directory.schedules")
