"""More is asked of short words that only sound like a word of the city: merci is no Mers, and a ball no station."""

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Replace the function that tells what a word may mean."""
    op.execute(Path(__file__).with_name("0011_short_words.sql").read_text(encoding="utf-8"))
