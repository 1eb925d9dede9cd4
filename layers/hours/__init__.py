"""Opening hours: from OpenStreetMap's syntax to rows of open time, which PostgreSQL answers from by index."""
