"""What a layer is: definitions, tables, catalogue, annuaire, queries, ingest, and the private PostGIS."""
