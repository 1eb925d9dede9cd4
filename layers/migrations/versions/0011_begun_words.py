"""Numbers and letters may be begun, and names that have what was typed go before places in a district of that name."""

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Change no table: the functions are those of ``layers/search/functions.py``."""
