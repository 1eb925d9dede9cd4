"""Numbers and letters may be begun, and names that have what was typed go before places in a district of that name."""

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Replace what tells the meanings of a word, and the order of what is found."""
    op.execute(Path(__file__).with_name("0011_begun_words.sql").read_text(encoding="utf-8"))
