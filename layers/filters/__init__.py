"""CQL2 filters (OGC 21-065r2): guarded, parsed, resolved against a layer's fields, compiled to SQLAlchemy.

``parse`` guards and parses the text with the ``cql2`` package; ``resolve`` turns its tree into typed nodes whose
literals stand apart, so that filters of one shape share their SQL; ``compile`` makes the SQL expression.
"""
