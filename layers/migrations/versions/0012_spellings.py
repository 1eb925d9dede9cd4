"""Words may be begun in each of their spellings; whole names, kinds and what sounds alike are ranked with more care."""

from pathlib import Path

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Let words stand for others, and replace what tells their meanings."""
    op.execute(Path(__file__).with_name("0012_spellings.sql").read_text(encoding="utf-8"))
