"""What survives when anything at all is killed, emptied, stopped or disturbed.

``plant`` runs the real processes and breaks them, ``storm`` decides what is broken
when, ``people`` keep them busy, and ``checker`` compares the sandbox's own log with
the database afterwards: in plain SQL, without a line of the code it judges.
``torture`` puts them together, in the short form of the test suite and in the long
one of ``make torture``.
"""
