unnest(
    %(outcome_channel)s::text[], %(outcome_slot)s::int[], %(outcome_state)s::text[],
    %(outcome_error_code)s::text[], %(outcome_error_class)s::text[],
    %(outcome_reason)s::text[]
) AS o (channel, slot, state, error_code, error_class, reason)
