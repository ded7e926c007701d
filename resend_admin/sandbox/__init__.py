"""Stand-ins for the providers: real servers that speak their wire formats.

``python -m resend_admin.sandbox`` runs them as a process of their own; the class
:class:`~resend_admin.sandbox.thread.Sandbox` runs them in a thread of a test.
Whatever they take is written to a log (:mod:`~resend_admin.sandbox.log`) before
the answer leaves, so that the log can testify independently of the database.
"""
