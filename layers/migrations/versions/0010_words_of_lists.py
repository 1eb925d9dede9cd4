"""Lists that are narrowed down by words: the names and addresses of entries as they are compared."""

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Create the function that folds, and the stored column with its index."""
    op.execute(Path(__file__).with_name("0010_words_of_lists.sql").read_text(encoding="utf-8"))
