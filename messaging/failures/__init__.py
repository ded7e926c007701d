"""What failed and is still kept, by cause, and what somebody did about it.

Numbers are read from the tallies, moments by probes of an index, so that a page may
ask for them however many messages there are. It knows no broadcasts: who was taken
over by a retry is for ``broadcasts.causes`` to say.
"""
