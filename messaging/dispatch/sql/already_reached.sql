-- Part of a statement: these messages go no more, another run reached their persons.
UPDATE messaging_message AS message
SET state = 'cancelled',
    state_at = now(),
    due_at = NULL,
    reason = 'already_reached',
    error_code = '',
    error_class = ''
