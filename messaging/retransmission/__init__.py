"""Messages that a device could not read: taken in, asked for again, recovered.

Below the doors (the page, ``/messages/{id}/retry``, ``/hooks/``): who comes through
one of them meets the same rules, which stand in ``sql/``.
"""
