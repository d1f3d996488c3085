-- Who had an address at a moment, and the guards of what was answered.
--
-- Sessions are partitioned by stop time. A session that covers a moment stopped later, or has not
-- stopped, so older months are left out. In younger months only sessions that began before the
-- moment count; the indexes lead there by address and start, and find the few long ones, however
-- many there are in all.

SELECT radius.ensure_index('radacct_delegated',
    'ON radius.radacct (delegatedipv6prefix, acctstarttime) WHERE delegatedipv6prefix IS NOT NULL');
SELECT radius.ensure_index('radacct_ipv6_prefix',
    'ON radius.radacct (framedipv6prefix, acctstarttime) WHERE framedipv6prefix IS NOT NULL');
SELECT radius.ensure_index('radacct_ipv6_address',
    'ON radius.radacct (framedipv6address, acctstarttime) WHERE framedipv6address IS NOT NULL');

CREATE OR REPLACE FUNCTION radius.sessions_at(wanted inet, since timestamptz, until timestamptz)
RETURNS SETOF radius.radacct LANGUAGE sql STABLE AS $$
    SELECT a.* FROM radius.radacct a
    WHERE a.framedipaddress = wanted AND a.acctstarttime <= until
        AND (a.acctstoptime >= since OR a.acctstoptime IS NULL)
$$;

-- IPv6: the prefixes that hold the address, one of each length, compared for equality. "Contains"
-- would need a GiST index, and accounting would pay for keeping it.
CREATE OR REPLACE FUNCTION radius.sessions_at_prefixes(
    wanted inet[], since timestamptz, until timestamptz
) RETURNS SETOF radius.radacct LANGUAGE sql STABLE AS $$
    SELECT a.* FROM radius.radacct a
    WHERE a.delegatedipv6prefix = ANY (wanted) AND a.acctstarttime <= until
        AND (a.acctstoptime >= since OR a.acctstoptime IS NULL)
    UNION
    SELECT a.* FROM radius.radacct a
    WHERE a.framedipv6prefix = ANY (wanted) AND a.acctstarttime <= until
        AND (a.acctstoptime >= since OR a.acctstoptime IS NULL)
    UNION
    SELECT a.* FROM radius.radacct a
    WHERE a.framedipv6address = ANY (wanted) AND a.acctstarttime <= until
        AND (a.acctstoptime >= since OR a.acctstoptime IS NULL)
$$;

CREATE OR REPLACE FUNCTION radius.sessions_of(
    wanted int, since timestamptz, until timestamptz
) RETURNS SETOF radius.radacct LANGUAGE sql STABLE AS $$
    SELECT a.* FROM radius.radacct a
    WHERE a.subscription_id = wanted AND a.acctstarttime < until
        AND (a.acctstoptime >= since OR a.acctstoptime IS NULL)
$$;

-- Triggers of the tables of requests, put there by their models: what was answered and what was
-- handed over stays as it was, whoever asks.
CREATE OR REPLACE FUNCTION radius.keep_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Rows of % are evidence: they are added, never changed or deleted',
        TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE OR REPLACE FUNCTION radius.keep_answered() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    -- By name through jsonb, so that no column is bound to the function.
    held jsonb := to_jsonb(OLD) - ARRAY['state', 'write_uid', 'write_date'];
BEGIN
    IF OLD.state <> 'draft' AND (TG_OP = 'DELETE' OR NEW.state = 'draft'
            OR held IS DISTINCT FROM to_jsonb(NEW) - ARRAY['state', 'write_uid', 'write_date']) THEN
        RAISE EXCEPTION 'An answered request is evidence: it is not changed or deleted'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;

REVOKE ALL ON FUNCTION radius.sessions_at(inet, timestamptz, timestamptz),
    radius.sessions_at_prefixes(inet[], timestamptz, timestamptz),
    radius.sessions_of(int, timestamptz, timestamptz),
    radius.keep_rows(), radius.keep_answered() FROM PUBLIC;

-- By device: on the closed months only. There it is written once a session, at its Stop; the small
-- table of open sessions is read whole. Months made since the last call get theirs.
CREATE OR REPLACE FUNCTION radius.index_devices() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    part regclass;
    made bigint := 0;
BEGIN
    FOR part IN SELECT i.inhrelid FROM pg_inherits i
        WHERE i.inhparent = 'radius.radacct'::regclass
            AND i.inhrelid <> 'radius.radacct_open'::regclass
    LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_index x JOIN pg_attribute t ON t.attrelid = x.indrelid
            WHERE x.indrelid = part AND t.attname = 'callingstationid' AND x.indkey[0] = t.attnum);
        EXECUTE format('CREATE INDEX ON %s (callingstationid)', part);
        made := made + 1;
    END LOOP;
    RETURN made;
END $$;

REVOKE ALL ON FUNCTION radius.index_devices() FROM PUBLIC;
