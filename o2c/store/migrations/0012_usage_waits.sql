-- 0012 usage that waits: since when a record is in suspense and when it is looked at again, and by which version of zones and time bands a record was placed.

ALTER TABLE usage_record ADD COLUMN placed_by text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE usage_record ADD COLUMN waits_since timestamptz;
ALTER TABLE usage_record ADD COLUMN look_at timestamptz;
ALTER TABLE usage_record ADD COLUMN looks smallint NOT NULL DEFAULT 0;
UPDATE usage_record SET look_at = started_at WHERE account = '';
CREATE INDEX usage_record_look ON usage_record (look_at) WHERE account = '';
COMMENT ON COLUMN usage_record.placed_by IS 'The version of an operator''s zones and time bands that gave zone and band; empty for those of the market itself.';
COMMENT ON COLUMN usage_record.waits_since IS 'When the record came into suspense; empty for one that never was in it, and for one of before this was written down.';
COMMENT ON COLUMN usage_record.look_at IS 'When a record in suspense is looked at again though nothing about its number or account changed.';

CREATE TABLE usage_look (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    position bigint NOT NULL
);
COMMENT ON TABLE usage_look IS 'Up to where the log was read for what makes records in suspense somebody''s.';
