-- 0010 usage: records of what was used, beside the log. They are kept for a shorter time than what was billed of them.

CREATE TABLE usage_record (
    id bigint GENERATED ALWAYS AS IDENTITY,
    source text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    sequence bigint,
    file text COLLATE "C" NOT NULL,
    party text COLLATE "C" NOT NULL,
    other text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    started_at timestamptz NOT NULL,
    quantity numeric NOT NULL CHECK (quantity >= 0),
    unit text COLLATE "C" NOT NULL,
    zone text COLLATE "C" NOT NULL,
    band text COLLATE "C" NOT NULL,
    country text COLLATE "C" NOT NULL,
    account text COLLATE "C" NOT NULL,
    owner text COLLATE "C" NOT NULL,
    waits_for text COLLATE "C" NOT NULL,
    PRIMARY KEY (source, key)
);
CREATE INDEX usage_record_account ON usage_record (account, started_at) WHERE account <> '';
CREATE INDEX usage_record_waiting ON usage_record (party) WHERE account = '';
CREATE INDEX usage_record_sequence ON usage_record (source, sequence) WHERE sequence IS NOT NULL;
CREATE INDEX usage_record_file ON usage_record (file);
COMMENT ON TABLE usage_record IS 'Records of usage, each once by source and key. Personal: who called whom stands here. No role but the appender sees it.';
COMMENT ON COLUMN usage_record.id IS 'Place in the table: whoever adds records holds its lock, so that a record that comes later has a higher one.';
COMMENT ON COLUMN usage_record.quantity IS 'How much, in the base unit of its kind.';
COMMENT ON COLUMN usage_record.owner IS 'Whose line it is, as ORDER/ITEM; empty while the record waits in suspense.';
COMMENT ON COLUMN usage_record.waits_for IS 'Why a record is in suspense, in a word; empty once it is somebody''s.';
