"""Pure geometry without input or output: coordinate systems, boxes, the tile grid, repair, the district locator."""
