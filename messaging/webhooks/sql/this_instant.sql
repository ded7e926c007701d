SELECT clock_timestamp() AS this_instant
