"""The phones behind device gateways: how they are, since when, and who waits for them.

A gateway is asked by beat and by a button, always outside of any transaction and with
a time limit; pages read what was written down.
"""
