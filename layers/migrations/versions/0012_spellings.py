"""Words may be begun in each of their spellings; whole names, kinds and what sounds alike are ranked with more care."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Let words stand for others (``deuxieme`` for ``2``), which alone stand in names, and have all made anew."""
    op.execute("ALTER TABLE search.words ADD COLUMN stands_for integer")
    op.execute("CREATE INDEX words_stands_for_idx ON search.words (stands_for) WHERE stands_for IS NOT NULL")
    op.execute("TRUNCATE search.things, search.words")
