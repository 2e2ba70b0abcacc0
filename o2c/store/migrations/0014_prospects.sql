-- 0014 prospects: the keys under which what is personal of people who did not order is sealed. A key goes with the event that says so, in one transaction.

CREATE TABLE prospect_key (
    key text COLLATE "C" PRIMARY KEY,
    secret bytea NOT NULL CHECK (length(secret) = 32)
);
COMMENT ON TABLE prospect_key IS 'One key a market and day. What is sealed under a key that is gone can be read by nobody any more. No role but the appender sees it.';
COMMENT ON COLUMN prospect_key.key IS 'The market and the day, as in the name of the stream that says when the key goes.';

CREATE FUNCTION let_key_go() RETURNS trigger LANGUAGE plpgsql SET search_path = o2c, pg_temp AS $$
BEGIN
    DELETE FROM prospect_key WHERE key = NEW.body ->> 'key';
    RETURN NULL;
END $$;
CREATE TRIGGER event_forgets AFTER INSERT ON event FOR EACH ROW WHEN (NEW.type = 'prospects.forgotten') EXECUTE FUNCTION let_key_go();
