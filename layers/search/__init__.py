"""Search: how names become words (``normal``), the index of what can be found (``index``), the question (``find``)."""
