SELECT state, count(*) AS number FROM messaging_integration GROUP BY state
