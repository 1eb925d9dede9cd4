"""Search: what can be found, the distinct words of its names, and the function that finds it."""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the schema ``search``; its tables are filled when layers are loaded (``layers/search/index.py``)."""
    op.execute(Path(__file__).with_name("0005_search.sql").read_text(encoding="utf-8"))
