"""How features become vector tiles: statements, tilesets, TileJSON."""
