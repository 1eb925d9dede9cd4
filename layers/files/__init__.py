"""Makes one file of features: a process of its own, because it needs memory and processor time that the service lacks.

``python -m layers.files`` reads frames from its standard input, each with its length (4 bytes, big-endian) before it:
first the :class:`~layers.files.job.Job` as JSON, then blocks of plain lines (:func:`layers.lines.plain_line`), then an
empty frame. It answers with one line of JSON: the file's name, or why there is none. When the input ends without the
empty frame, the one who asked is gone, and so is the folder.

Lines become Arrow columns in C, Arrow batches become features in C: no Python object is made for any of them. Nothing
here asks the database, and only the job and the framing are imported by the service.
"""
