"""The command line: ``./casamaps up``, ``test``, ``ingest``, ``doctor``, ``settings`` and ``reset``."""
