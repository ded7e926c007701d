-- Part of a statement: since when what has started waits. Since it moved, "moved.at", or
-- since the engine was last heard, "pulse": while it beats, somebody works on it. Not for
-- ever, though: what fails on every tick keeps nobody else up, and is only in the log.
    CASE
        WHEN moved.at < statement_timestamp() - %(stuck_seconds)s * interval '1 second'
        THEN moved.at
        ELSE greatest(moved.at, pulse.beaten_at)
    END
