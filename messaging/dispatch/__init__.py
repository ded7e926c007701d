"""The engine: claim, send, settle, rescue.

Every change of a message's or an attempt's state is one guarded ``UPDATE`` in
this package or in ``messaging.receipts``; zero rows changed means "not ours any
more", which is a normal answer. Locks are taken in one order everywhere (pace,
credit account, attempts, messages, tallies), and no transaction is open while a
provider is called.
"""
