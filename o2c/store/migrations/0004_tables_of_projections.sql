-- 0004 Projections: their tables belong to the owner of the store, who makes and exchanges them by these functions; see docs/decisions/0021-foreign-code.md.

-- What the owner lets be made. A view is code that runs with the rights of whoever reads it, so its text comes from here and from no caller.
CREATE TABLE projection_shape (
    name text COLLATE "C" NOT NULL,
    shape_version integer NOT NULL,
    definition jsonb NOT NULL,
    PRIMARY KEY (name, shape_version)
);
COMMENT ON TABLE projection_shape IS 'The tables and views of projections by shape, written by the owner of the store alone: columns, key, indexes, meaning, views, personal.';

CREATE FUNCTION role_named(kind text) RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS
$$ SELECT rolname::text FROM pg_roles WHERE rolname = 'o2c_' || kind || CASE current_database() WHEN 'o2c' THEN '' ELSE '_' || current_database() END $$;
COMMENT ON FUNCTION role_named IS 'The name of one of the roles of this database, as store/roles.py makes them; null where it is not there.';

-- For the functions below: privileges to one of the roles, if it is there.
CREATE FUNCTION let_role(kind text, what text, relation text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF o2c.role_named(kind) IS NOT NULL THEN
        EXECUTE format('GRANT %s ON %s TO %I', what, relation, o2c.role_named(kind));
    END IF;
END $$;
REVOKE ALL ON FUNCTION let_role FROM PUBLIC;

CREATE FUNCTION shape_of(projection text, shape integer) RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found_shape jsonb := (SELECT s.definition FROM o2c.projection_shape s WHERE s.name = projection AND s.shape_version = shape);
BEGIN
    IF found_shape IS NULL THEN
        RAISE EXCEPTION 'the owner of the store knows no shape % of projection %', shape, projection USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN found_shape;
END $$;
REVOKE ALL ON FUNCTION shape_of FROM PUBLIC;

-- For the functions below: the two tables of a projection, empty and without keys; tables left under their names are dropped.
CREATE FUNCTION lay_tables(place text, name text, suffix text, shape jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    rows text := format('%I.%I', place, name || suffix);
    docs text := format('%I.%I', place, name || suffix || '_doc');
    columns text;
BEGIN
    IF EXISTS (SELECT FROM jsonb_array_elements(shape -> 'columns') c
               WHERE c ->> 1 NOT IN ('text', 'bigint', 'integer', 'boolean', 'timestamptz', 'date', 'jsonb')) THEN
        RAISE EXCEPTION 'a column of projection % is of a kind that its tables never have', name USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT string_agg(format(', %I %s', c ->> 0, CASE c ->> 1 WHEN 'text' THEN 'text COLLATE "C"' ELSE c ->> 1 END), '' ORDER BY n)
    INTO columns FROM jsonb_array_elements(shape -> 'columns') WITH ORDINALITY AS x (c, n);
    EXECUTE format('DROP TABLE IF EXISTS %s, %s', rows, docs);
    EXECUTE format('CREATE TABLE %s (group_key text COLLATE "C"%s)', rows, columns);
    EXECUTE format('CREATE TABLE %s (group_key text COLLATE "C", doc jsonb NOT NULL)', docs);
    EXECUTE format('COMMENT ON TABLE %s IS %L', rows, shape ->> 'meaning');
    PERFORM o2c.let_role('projector', 'SELECT, INSERT, UPDATE, DELETE', rows);
    PERFORM o2c.let_role('projector', 'SELECT, INSERT, UPDATE, DELETE', docs);
END $$;
REVOKE ALL ON FUNCTION lay_tables FROM PUBLIC;

-- For the functions below: one key or index of the two tables, and at last their statistics; whether there is more to do. One a call, so that no
-- transaction holds readers back for long.
CREATE FUNCTION index_part(place text, name text, suffix text, shape jsonb, part integer) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    rows text := format('%I.%I', place, name || suffix);
    docs text := format('%I.%I', place, name || suffix || '_doc');
    listed text := (SELECT string_agg(format('%I', c), ', ' ORDER BY n)
        FROM jsonb_array_elements_text(CASE part WHEN 0 THEN shape -> 'key' ELSE shape -> 'indexes' -> (part - 2) END) WITH ORDINALITY AS x (c, n));
BEGIN
    IF part = 0 THEN
        EXECUTE format('ALTER TABLE %s ADD PRIMARY KEY (%s)', rows, listed);
    ELSIF part = 1 THEN
        EXECUTE format('ALTER TABLE %s ADD PRIMARY KEY (group_key)', docs);
    ELSIF listed IS NOT NULL THEN
        EXECUTE format('CREATE INDEX ON %s (%s)', rows, listed);
    ELSE
        EXECUTE format('ANALYZE %s, %s', rows, docs);
        RETURN false;
    END IF;
    RETURN true;
END $$;
REVOKE ALL ON FUNCTION index_part FROM PUBLIC;

-- For the functions below: what the roles may do with the table and the views that have the projection's names now.
CREATE FUNCTION let_read(name text, shape jsonb) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    view text;
BEGIN
    FOR view IN SELECT format('projection.%I', v) FROM jsonb_object_keys(shape -> 'views') v LOOP
        PERFORM o2c.let_role('projector', 'SELECT', view);
        IF NOT (shape -> 'personal')::boolean THEN
            PERFORM o2c.let_role('reader', 'SELECT', view);
        END IF;
    END LOOP;
    IF NOT (shape -> 'personal')::boolean THEN
        PERFORM o2c.let_role('reader', 'SELECT', format('projection.%I', name));
    END IF;
END $$;
REVOKE ALL ON FUNCTION let_read FROM PUBLIC;

-- For the functions below: the views over the table that has the projection's name now.
CREATE FUNCTION lay_views(name text, shape jsonb) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    view record;
BEGIN
    FOR view IN SELECT format('projection.%I', v.key) AS called, v.value AS query FROM jsonb_each_text(shape -> 'views') v LOOP
        EXECUTE format('DROP VIEW IF EXISTS %s', view.called);
        EXECUTE format('CREATE VIEW %s AS %s', view.called, view.query);
    END LOOP;
    PERFORM o2c.let_read(name, shape);
END $$;
REVOKE ALL ON FUNCTION lay_views FROM PUBLIC;

CREATE FUNCTION make_projections() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    CREATE SCHEMA IF NOT EXISTS projection;
    CREATE TABLE IF NOT EXISTS projection.checkpoint (
        name text COLLATE "C" PRIMARY KEY,
        position bigint NOT NULL,
        event_id uuid,
        shape_version integer NOT NULL,
        generation bigint NOT NULL,
        swapped_at timestamptz
    );
    COMMENT ON TABLE projection.checkpoint IS 'How far each projection has folded the log; generation changes when its tables were swapped or a group retried.';
    CREATE TABLE IF NOT EXISTS projection.parked (
        name text COLLATE "C" NOT NULL,
        group_key text COLLATE "C" NOT NULL,
        position bigint NOT NULL,
        event_id uuid NOT NULL,
        error text NOT NULL,
        parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (name, group_key, position)
    );
    COMMENT ON TABLE projection.parked IS 'Events that a fold could not take, and those of the same group that wait behind them.';
    CREATE TABLE IF NOT EXISTS projection.skipped (
        name text COLLATE "C" NOT NULL,
        group_key text COLLATE "C" NOT NULL,
        position bigint NOT NULL,
        event_id uuid NOT NULL,
        error text NOT NULL,
        actor text NOT NULL,
        reason text NOT NULL,
        skipped_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (name, position)
    );
    COMMENT ON TABLE projection.skipped IS 'Events that a person set aside for good: no way of running the fold takes them.';
    CREATE TABLE IF NOT EXISTS projection.kept (
        name text COLLATE "C" PRIMARY KEY,
        position bigint NOT NULL,
        event_id uuid,
        shape_version integer NOT NULL,
        parked jsonb NOT NULL,
        kept_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    COMMENT ON TABLE projection.kept IS 'Of the tables a rebuild replaced (<name>_old): how far they had folded the log, and what was parked.';
    CREATE TABLE IF NOT EXISTS projection.history (
        name text COLLATE "C" NOT NULL,
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        what text NOT NULL,
        actor text NOT NULL,
        reason text NOT NULL,
        group_key text COLLATE "C",
        position bigint NOT NULL,
        from_shape integer NOT NULL,
        to_shape integer NOT NULL
    );
    COMMENT ON TABLE projection.history IS 'Who rebuilt, rolled back, retried, skipped or mended what, and why. position: where the tables stood then; of a skip, the event.';
    PERFORM o2c.let_role('projector', 'USAGE', 'SCHEMA projection'), o2c.let_role('reader', 'USAGE', 'SCHEMA projection'),
        o2c.let_role('appender', 'USAGE', 'SCHEMA projection'), o2c.let_role('reader', 'SELECT', 'projection.checkpoint'),
        o2c.let_role('projector', 'SELECT, INSERT, UPDATE, DELETE',
            'projection.checkpoint, projection.parked, projection.skipped, projection.kept, projection.history');
END $$;
REVOKE ALL ON FUNCTION make_projections FROM PUBLIC;
COMMENT ON FUNCTION make_projections IS 'The schema of projections and the tables that all of them share, where they are missing.';

CREATE FUNCTION make_projection(projection text, shape integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wanted jsonb := o2c.shape_of(projection, shape);
    part integer := 0;
BEGIN
    IF EXISTS (SELECT FROM projection.checkpoint c WHERE c.name = projection) THEN
        RETURN;
    END IF;
    PERFORM o2c.lay_tables('projection', projection, '', wanted);
    WHILE o2c.index_part('projection', projection, '', wanted, part) LOOP
        part := part + 1;
    END LOOP;
    PERFORM o2c.lay_views(projection, wanted);
    INSERT INTO projection.checkpoint (name, position, shape_version, generation) VALUES (projection, 0, shape, 0);
END $$;
REVOKE ALL ON FUNCTION make_projection FROM PUBLIC;
COMMENT ON FUNCTION make_projection IS 'The tables and views of a projection, and its checkpoint at the start of the log, unless they are there.';

CREATE FUNCTION make_shadow(projection text, shape integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM o2c.lay_tables('projection', projection, '_new', o2c.shape_of(projection, shape));
END $$;
REVOKE ALL ON FUNCTION make_shadow FROM PUBLIC;
COMMENT ON FUNCTION make_shadow IS 'The empty tables that a rebuild fills; those of an earlier rebuild are dropped.';

CREATE FUNCTION index_shadow(projection text, shape integer, part integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN o2c.index_part('projection', projection, '_new', o2c.shape_of(projection, shape), part);
END $$;
REVOKE ALL ON FUNCTION index_shadow FROM PUBLIC;
COMMENT ON FUNCTION index_shadow IS 'One key or index of the filled shadow (from part 0), and whether there is more.';

CREATE FUNCTION drop_tables(projection text, suffix text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF suffix NOT IN ('_new', '_old', '_gone') OR NOT EXISTS (SELECT FROM o2c.projection_shape s WHERE s.name = projection) THEN
        RAISE EXCEPTION 'only what a rebuild made or replaced is dropped, not %', projection || suffix USING ERRCODE = 'insufficient_privilege';
    END IF;
    EXECUTE format('DROP TABLE IF EXISTS projection.%I, projection.%I', projection || suffix, projection || suffix || '_doc');
END $$;
REVOKE ALL ON FUNCTION drop_tables FROM PUBLIC;
COMMENT ON FUNCTION drop_tables IS 'Drops the shadow of a rebuild (_new) or what it replaced (_old, _gone), where they are.';

-- A view keeps reading a table that is renamed, so the views are made anew; whoever might do something with them or the tables may do it still.
CREATE FUNCTION exchange_tables(projection text, shape integer, comes text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wanted jsonb := o2c.shape_of(projection, shape);
    granted text[];
    step record;
    part text;
BEGIN
    IF comes NOT IN ('_new', '_gone') THEN
        RAISE EXCEPTION 'nothing comes in place from %', projection || comes USING ERRCODE = 'insufficient_privilege';
    END IF;
    EXECUTE format('LOCK TABLE projection.%I, projection.%I IN ACCESS EXCLUSIVE MODE', projection, projection || '_doc');
    SELECT array_agg(format('GRANT %s ON projection.%I TO %s', a.privilege_type, c.relname, coalesce(quote_ident(r.rolname), 'PUBLIC'))) INTO granted
    FROM pg_class c CROSS JOIN aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
    WHERE c.relnamespace = 'projection'::regnamespace AND a.grantee <> c.relowner
        AND (c.relname IN (projection, projection || '_doc') OR wanted -> 'views' ? c.relname::text);
    FOR part IN SELECT jsonb_object_keys(wanted -> 'views') LOOP
        EXECUTE format('DROP VIEW IF EXISTS projection.%I', part);
    END LOOP;
    FOR step IN SELECT * FROM (VALUES (1, '_old', '_gone'), (2, '', '_old'), (3, comes, '')) AS s (n, before, after) ORDER BY n LOOP
        EXECUTE format('ALTER TABLE IF EXISTS projection.%I RENAME TO %I', projection || step.before, projection || step.after);
        EXECUTE format('ALTER TABLE IF EXISTS projection.%I RENAME TO %I', projection || step.before || '_doc', projection || step.after || '_doc');
    END LOOP;
    PERFORM o2c.lay_views(projection, wanted);
    FOREACH part IN ARRAY coalesce(granted, '{}') LOOP
        EXECUTE part;
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION exchange_tables FROM PUBLIC;
COMMENT ON FUNCTION exchange_tables IS 'Keeps the tables of a projection as _old and puts the shadow (_new) or those kept before (_gone) in their place.';

-- The schemas of what-ifs. What a caller says of a table is data here: names are quoted, kinds are of a closed list, and there are no views.
CREATE FUNCTION refuse_no_scratch(place text) RETURNS void LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF place !~ '^what_if_[0-9a-f]{12}$' THEN
        RAISE EXCEPTION '% is no schema of a what-if', place USING ERRCODE = 'insufficient_privilege';
    END IF;
END $$;
REVOKE ALL ON FUNCTION refuse_no_scratch FROM PUBLIC;

CREATE FUNCTION make_scratch(place text, purpose text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM o2c.refuse_no_scratch(place);
    EXECUTE format('CREATE SCHEMA %I', place);
    EXECUTE format('COMMENT ON SCHEMA %I IS %L', place, purpose);
    PERFORM o2c.let_role('projector', 'USAGE', format('SCHEMA %I', place)), o2c.let_role('reader', 'USAGE', format('SCHEMA %I', place));
END $$;
REVOKE ALL ON FUNCTION make_scratch FROM PUBLIC;
COMMENT ON FUNCTION make_scratch IS 'A schema for a what-if: its owner alone makes anything in it, the reader role writes rows there.';

CREATE FUNCTION lay_scratch(place text, name text, suffix text, shape jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM o2c.refuse_no_scratch(place);
    PERFORM o2c.lay_tables(place, name, suffix, shape);
    PERFORM o2c.let_role('reader', 'SELECT, INSERT, UPDATE, DELETE', format('%I.%I, %I.%I', place, name || suffix, place, name || suffix || '_doc'));
END $$;
REVOKE ALL ON FUNCTION lay_scratch FROM PUBLIC;

CREATE FUNCTION index_scratch(place text, name text, suffix text, shape jsonb, part integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM o2c.refuse_no_scratch(place);
    RETURN o2c.index_part(place, name, suffix, shape, part);
END $$;
REVOKE ALL ON FUNCTION index_scratch FROM PUBLIC;

CREATE FUNCTION rename_scratch(place text, before text, after text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM o2c.refuse_no_scratch(place);
    EXECUTE format('ALTER TABLE IF EXISTS %I.%I RENAME TO %I', place, before, after);
    EXECUTE format('ALTER TABLE IF EXISTS %I.%I RENAME TO %I', place, before || '_doc', after || '_doc');
END $$;
REVOKE ALL ON FUNCTION rename_scratch FROM PUBLIC;

CREATE FUNCTION clear_scratch(place text, name text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM o2c.refuse_no_scratch(place);
    EXECUTE format('DROP TABLE IF EXISTS %I.%I, %I.%I', place, name, place, name || '_doc');
END $$;
REVOKE ALL ON FUNCTION clear_scratch FROM PUBLIC;

CREATE FUNCTION keep_scratch(place text, purpose text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM o2c.refuse_no_scratch(place);
    EXECUTE format('COMMENT ON SCHEMA %I IS %L', place, purpose);
END $$;
REVOKE ALL ON FUNCTION keep_scratch FROM PUBLIC;

CREATE FUNCTION drop_scratch(place text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM o2c.refuse_no_scratch(place);
    EXECUTE format('DROP SCHEMA IF EXISTS %I CASCADE', place);
END $$;
REVOKE ALL ON FUNCTION drop_scratch FROM PUBLIC;
COMMENT ON FUNCTION drop_scratch IS 'Drops what a what-if has kept, by whoever has its answer.';
