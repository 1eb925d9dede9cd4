"""Lists that are narrowed down by words: a function that finds what has them all, and the entries' words for it."""

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Create the functions, and the entries' names and addresses as they are compared, with their index."""
    op.execute(Path(__file__).with_name("0010_words_of_lists.sql").read_text(encoding="utf-8"))
