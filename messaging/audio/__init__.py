"""Audio that programs send: checked, transcoded to Ogg with Opus, sent as a message.

Importing this loads nothing: the child process that decodes starts from here.
"""
