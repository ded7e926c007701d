route AS MATERIALIZED (
    SELECT *
    FROM unnest(
        %(place)s::int[], %(is_fallback)s::bool[], %(integration_id)s::bigint[],
        %(content_id)s::bigint[], %(channel)s::text[], %(needs_window)s::bool[]
    ) AS r (place, is_fallback, integration_id, content_id, channel, needs_window)
)
