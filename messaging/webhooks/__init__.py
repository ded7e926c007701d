"""Webhooks out: other programs are told what becomes of messages and broadcasts.

The triggers in ``messaging/migrations/sql/webhook_outbox.sql`` write the outbox,
each in the transaction of the change it tells of. A courier carries it: claims
what is due, posts it with no transaction open, settles. Told at least once, in no
promised order, under an id that stays the same however often it is told.
"""
