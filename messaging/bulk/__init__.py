"""Many messages, sent again by one decision of a person.

``verdict`` says what would become of a selection, ``freezing`` fixes it when it is
confirmed, ``running`` works it off in the background, a chunk at a time, and
``results`` tells what was not queued and why. Each message is judged by the very
rule of a single resend (``messaging.standing``), again when its turn comes.
"""
