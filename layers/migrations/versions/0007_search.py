"""Search: what can be found, and the distinct words of its names."""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the schema ``search``; its tables are filled when layers are loaded (``layers/search/index.py``)."""
    op.execute(Path(__file__).with_name("0007_search.sql").read_text(encoding="utf-8"))
