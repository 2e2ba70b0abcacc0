-- 0011 Devices: what analysts see masks the IMEI in the name of a device's stream as it masks ICCID and MSISDN. All else of the view is as in migration 0001.

CREATE OR REPLACE VIEW analyst_event AS
    SELECT position, CASE WHEN stream ~ '^(sim|number|device)-' THEN o2c.masked(to_jsonb(split_part(stream, '-', 2))) #>> '{}' ELSE stream END AS stream,
           version, type, schema_version, recorded_at, occurred_at, actor, channel, command_id, causation, order_id, customer_id,
           o2c.masked(body - 'asked') AS body, o2c.masked(body -> 'asked') AS asked
    FROM event;
COMMENT ON VIEW analyst_event IS 'The log for analysis: without personal fields, with the identifiers of SIMs, numbers and devices masked.';
