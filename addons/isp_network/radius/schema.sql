-- RADIUS layer inside Odoo's database. Applied by radius/schema.py whenever its content changed.
-- Everything here is owned by the application's role; FreeRADIUS logs in as radius_ro and may only
-- call the functions that grant_access and grant_accounting name. It reads and writes no table.
--
-- There are no views in this schema on purpose: replacing a view locks it until the module upgrade
-- commits, and logins would wait. Replacing a function never does. For the same reason nothing here
-- alters a table that is right already: ALTER TABLE and CREATE INDEX take their locks before they see
-- that there is nothing to do. A function that FreeRADIUS calls keeps its arguments and its result:
-- the FreeRADIUS that runs goes on calling it.

CREATE EXTENSION IF NOT EXISTS pgcrypto WITH SCHEMA public;
CREATE SCHEMA IF NOT EXISTS radius;

-- Add the columns that a table lacks; each is written like 'name type'.
CREATE OR REPLACE FUNCTION radius.ensure_columns(parent regclass, VARIADIC columns text[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY columns LOOP
        IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = parent
            AND attname = split_part(one, ' ', 1) AND NOT attisdropped)
        THEN
            EXECUTE format('ALTER TABLE %s ADD COLUMN %s', parent, one);
        END IF;
    END LOOP;
END $$;

-- Make an index that is not there; a definition is what follows CREATE INDEX and its name.
CREATE OR REPLACE FUNCTION radius.ensure_index(index_name text, definition text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF to_regclass('radius.' || index_name) IS NULL THEN
        EXECUTE format('CREATE INDEX %I %s', index_name, definition);
    END IF;
END $$;

-- === COPIES FED BY TRIGGERS === --

CREATE TABLE IF NOT EXISTS radius.login (
    id int PRIMARY KEY,
    subscription_id int NOT NULL,
    username text NOT NULL,
    nt_secret text,
    access text NOT NULL,
    reason text,
    download_kbps int,
    upload_kbps int,
    burst_download_kbps int,
    burst_upload_kbps int,
    burst_threshold_download_kbps int,
    burst_threshold_upload_kbps int,
    burst_time_s int,
    priority int,
    ipv4_address text,
    framed_pool text,
    ipv6_pool text,
    delegated_prefix text,
    address_list text,
    simultaneous_use int,
    session_timeout_s int,
    idle_timeout_s int,
    interim_interval_s int,
    mac_addresses text,
    valid_until timestamp,
    -- Deferred: two subscriptions may exchange names in one transaction.
    CONSTRAINT login_username_live EXCLUDE USING btree (username WITH =)
        WHERE (access <> 'none') DEFERRABLE INITIALLY DEFERRED
) WITH (fillfactor = 80);
SELECT radius.ensure_index('login_username', 'ON radius.login (username)');
DO $$
BEGIN
    IF (SELECT attnotnull FROM pg_attribute
        WHERE attrelid = 'radius.login'::regclass AND attname = 'subscription_id')
    THEN
        ALTER TABLE radius.login ALTER COLUMN subscription_id DROP NOT NULL;
    END IF;
END $$;
SELECT radius.ensure_columns('radius.login', 'chap_secret text', 'realm text', 'service_type text',
    'mac_lock text', 'mac_lock_devices int', 'suspended_on timestamp',
    -- Vouchers only: their number, and how long they last from the first login.
    'voucher_id int', 'valid_seconds bigint');
SELECT radius.ensure_index('login_mac',
    $$ON radius.login USING gin (string_to_array(mac_addresses, '|'))$$);

CREATE TABLE IF NOT EXISTS radius.client (
    id int PRIMARY KEY,
    ip_address text NOT NULL UNIQUE DEFERRABLE INITIALLY DEFERRED,
    nas_type text,
    secret text NOT NULL,
    name text,
    require_ma boolean NOT NULL
);
SELECT radius.ensure_columns('radius.client', 'login_by_mac boolean');

-- What radius.login should hold. Bodies are text, so the ORM may still alter its own columns.
CREATE OR REPLACE FUNCTION radius.desired_logins() RETURNS SETOF radius.login
LANGUAGE sql STABLE AS $$
    SELECT e.id, e.subscription_id, lower(e.username)::text, NULLIF(e.nt_secret, '')::text,
        COALESCE(e.access, 'none')::text, e.reason::text,
        NULLIF(e.download_kbps, 0), NULLIF(e.upload_kbps, 0),
        NULLIF(e.burst_download_kbps, 0), NULLIF(e.burst_upload_kbps, 0),
        NULLIF(e.burst_threshold_download_kbps, 0), NULLIF(e.burst_threshold_upload_kbps, 0),
        NULLIF(e.burst_time_s, 0), NULLIF(e.priority, 0),
        NULLIF(e.ipv4_address, '')::text, NULLIF(e.framed_pool, '')::text,
        NULLIF(e.ipv6_pool, '')::text, NULLIF(e.delegated_prefix, '')::text,
        NULLIF(e.address_list, '')::text, NULLIF(e.simultaneous_use, 0),
        NULLIF(e.session_timeout_s, 0), NULLIF(e.idle_timeout_s, 0),
        NULLIF(e.interim_interval_s, 0), NULLIF(e.mac_addresses, '')::text, e.valid_until,
        NULLIF(e.chap_secret, '')::text, NULLIF(lower(e.realm), '')::text, e.service_type::text,
        NULLIF(e.mac_lock, 'none')::text, NULLIF(e.mac_lock_devices, 0), e.suspended_on,
        NULL::int, NULL::bigint
    FROM public.isp_entitlement e
    WHERE e.username <> ''
$$;

CREATE OR REPLACE FUNCTION radius.desired_clients() RETURNS SETOF radius.client
LANGUAGE sql STABLE AS $$
    SELECT n.id, n.ip_address::text, n.nas_type::text, n.secret_radius::text, n.name::text,
        COALESCE(n.require_message_authenticator, false), COALESCE(n.login_by_mac, false)
    FROM public.isp_nas n
    WHERE n.active AND n.ip_address <> '' AND n.secret_radius <> ''
$$;

-- No WHEN and no UPDATE OF on the triggers: either would bind the ORM's columns.
CREATE OR REPLACE FUNCTION radius.sync_login() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = radius, pg_temp AS $$
DECLARE
    key int := COALESCE(NEW.id, OLD.id);
    held login%ROWTYPE;
    wanted login%ROWTYPE;
BEGIN
    SELECT * INTO held FROM login WHERE id = key;
    SELECT * INTO wanted FROM desired_logins() d WHERE d.id = key;
    IF wanted IS DISTINCT FROM held THEN
        DELETE FROM login WHERE id = key;
        IF wanted.id IS NOT NULL THEN
            INSERT INTO login SELECT wanted.*;
        END IF;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION radius.sync_client() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = radius, pg_temp AS $$
BEGIN
    DELETE FROM client WHERE id = COALESCE(NEW.id, OLD.id);
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO client SELECT * FROM desired_clients() d WHERE d.id = NEW.id;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER radius_sync AFTER INSERT OR UPDATE OR DELETE ON public.isp_entitlement
    FOR EACH ROW EXECUTE FUNCTION radius.sync_login();
CREATE OR REPLACE TRIGGER radius_sync AFTER INSERT OR UPDATE OR DELETE ON public.isp_nas
    FOR EACH ROW EXECUTE FUNCTION radius.sync_client();

-- First fill, and the check that nothing ever drifted: returns how many rows had to be repaired.
CREATE OR REPLACE FUNCTION radius.resync() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    repaired bigint := 0;
    touched bigint;
BEGIN
    CREATE TEMP TABLE wanted_login ON COMMIT DROP AS
        SELECT * FROM radius.desired_logins() UNION ALL SELECT * FROM radius.desired_vouchers();
    DELETE FROM radius.login l
    WHERE NOT EXISTS (SELECT FROM wanted_login w WHERE w IS NOT DISTINCT FROM l AND w.id = l.id);
    GET DIAGNOSTICS touched = ROW_COUNT;
    repaired := repaired + touched;
    INSERT INTO radius.login
        SELECT w.* FROM wanted_login w
        WHERE NOT EXISTS (SELECT FROM radius.login l WHERE l.id = w.id);
    GET DIAGNOSTICS touched = ROW_COUNT;
    -- A row that differed was deleted and inserted: counted once.
    repaired := GREATEST(repaired, touched);
    DROP TABLE wanted_login;
    WITH stale AS (
        DELETE FROM radius.client c WHERE NOT EXISTS (
            SELECT FROM radius.desired_clients() d WHERE d.id = c.id) RETURNING 1
    ), fresh AS (
        INSERT INTO radius.client
        SELECT d.* FROM radius.desired_clients() d LEFT JOIN radius.client c USING (id)
        WHERE d IS DISTINCT FROM c
        ON CONFLICT (id) DO UPDATE SET (ip_address, nas_type, secret, name, require_ma,
            login_by_mac) = (excluded.ip_address, excluded.nas_type, excluded.secret,
            excluded.name, excluded.require_ma, excluded.login_by_mac) RETURNING 1
    )
    SELECT (SELECT count(*) FROM stale) + (SELECT count(*) FROM fresh) INTO touched;
    RETURN repaired + touched;
END $$;

-- === LOOKUP === --

-- Opens hex(iv || AES-256-CBC ciphertext) with the key FreeRADIUS set in its session.
-- Without the right key the answer is NULL: that login is refused, the query does not fail.
CREATE OR REPLACE FUNCTION radius.unseal(sealed text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    key text := current_setting('radius.key', true);
    raw bytea;
BEGIN
    IF sealed IS NULL OR COALESCE(key, '') = '' THEN
        RETURN NULL;
    END IF;
    raw := decode(sealed, 'hex');
    RETURN convert_from(public.decrypt_iv(
        substr(raw, 17), decode(key, 'hex'), substr(raw, 1, 16), 'aes'::text), 'UTF8');
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END $$;

-- What a login may do at this moment. The ORM's timestamps are naive UTC.
CREATE OR REPLACE FUNCTION radius.service(access text, valid_until timestamp) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN access IN ('full', 'throttled')
            AND (valid_until IS NULL OR valid_until > now() AT TIME ZONE 'UTC') THEN access
        WHEN access IN ('full', 'throttled', 'walled') THEN 'walled'
        ELSE 'reject' END
$$;

CREATE OR REPLACE FUNCTION radius.rate(kbps int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    -- The casts let the planner put this in place of a call.
    SELECT CASE WHEN COALESCE(kbps, 0) <= 0 THEN '0'
        WHEN kbps % 1000 = 0 THEN (kbps / 1000)::text || 'M' ELSE kbps::text || 'k' END
$$;

-- RouterOS: "rx/tx burst-rx/tx threshold-rx/tx time-rx/tx priority"; rx is what the router
-- receives, that is the customer's upload. 0 means unlimited, trailing parts may be left out.
CREATE OR REPLACE FUNCTION radius.rate_limit(
    up int, down int, burst_up int, burst_down int, threshold_up int, threshold_down int,
    burst_time_s int, priority int
) RETURNS text LANGUAGE plpgsql IMMUTABLE SET search_path = radius, pg_temp AS $$
DECLARE
    burst boolean := burst_up > 0 OR burst_down > 0;
    ranked boolean := priority BETWEEN 1 AND 7;
    answer text;
BEGIN
    IF COALESCE(up, 0) <= 0 AND COALESCE(down, 0) <= 0 THEN
        RETURN NULL;
    END IF;
    answer := rate(up) || '/' || rate(down);
    IF burst IS TRUE THEN
        answer := answer
            || ' ' || rate(COALESCE(NULLIF(burst_up, 0), up))
            || '/' || rate(COALESCE(NULLIF(burst_down, 0), down))
            || ' ' || rate(COALESCE(NULLIF(threshold_up, 0), up))
            || '/' || rate(COALESCE(NULLIF(threshold_down, 0), down))
            || format(' %1$s/%1$s', GREATEST(COALESCE(burst_time_s, 0), 1));
    ELSIF ranked IS TRUE THEN
        answer := answer || ' 0/0 0/0 0/0';
    END IF;
    RETURN answer || CASE WHEN ranked IS TRUE THEN ' ' || priority ELSE '' END;
END $$;

-- One router by its address: "nas-<id>|<type>|<yes/no>|<secret>". The role cannot list them.
CREATE OR REPLACE FUNCTION radius.find_nas(address text) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = radius, pg_temp AS $$
BEGIN
    RETURN (
        SELECT concat('nas-', c.id, '|', c.nas_type, '|', CASE WHEN c.require_ma THEN 'yes'
            ELSE 'no' END, '|') || NULLIF(unseal(c.secret), '')
        FROM client c WHERE c.ip_address = address);
END $$;

-- === ACCOUNTING === --

-- Partitioned by STOP time: a session that is online (NULL) can only be in the DEFAULT partition,
-- so that one is the small hot table of open sessions; a Stop moves the row to its month.
CREATE SEQUENCE IF NOT EXISTS radius.radacct_id_seq;
CREATE TABLE IF NOT EXISTS radius.radacct (
    radacctid bigint NOT NULL DEFAULT nextval('radius.radacct_id_seq'),
    acctsessionid text NOT NULL,
    acctuniqueid text NOT NULL,
    username text,
    realm text,
    nasipaddress inet NOT NULL,
    nas_id int,
    subscription_id int,
    nasportid text,
    nasporttype text,
    acctstarttime timestamptz,
    acctupdatetime timestamptz,
    acctstoptime timestamptz,
    acctinterval bigint,
    acctsessiontime bigint,
    acctauthentic text,
    connectinfo_start text,
    connectinfo_stop text,
    acctinputoctets bigint,
    acctoutputoctets bigint,
    calledstationid text,
    callingstationid text,
    acctterminatecause text,
    servicetype text,
    framedprotocol text,
    framedipaddress inet,
    framedipv6address inet,
    framedipv6prefix inet,
    framedinterfaceid text,
    delegatedipv6prefix inet
) PARTITION BY RANGE (acctstoptime);
CREATE TABLE IF NOT EXISTS radius.radacct_open PARTITION OF radius.radacct
    -- The CHECK lets months attach without a scan, and catches a Stop without a month.
    (CONSTRAINT radacct_open_only CHECK (acctstoptime IS NULL))
    DEFAULT WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);
DO $$
BEGIN
    IF to_regclass('radius.radacct_open_uid') IS NULL THEN
        CREATE UNIQUE INDEX radacct_open_uid ON radius.radacct_open (acctuniqueid);
    END IF;
END $$;
SELECT radius.ensure_index('radacct_open_nas', 'ON radius.radacct_open (nasipaddress)');
SELECT radius.ensure_index('radacct_id', 'ON radius.radacct (radacctid)');
SELECT radius.ensure_index('radacct_user', 'ON radius.radacct (username, acctstarttime)');
SELECT radius.ensure_index('radacct_subscription',
    'ON radius.radacct (subscription_id, acctstarttime)');
SELECT radius.ensure_index('radacct_ip', 'ON radius.radacct (framedipaddress, acctstarttime)');

CREATE TABLE IF NOT EXISTS radius.radpostauth (
    id bigint GENERATED ALWAYS AS IDENTITY,
    username text NOT NULL,
    reply text,
    reason text,
    subscription_id int,
    nas_id int,
    calledstationid text,
    callingstationid text,
    nasipaddress inet,
    authdate timestamptz NOT NULL DEFAULT now()
) PARTITION BY RANGE (authdate);
SELECT radius.ensure_columns('radius.radpostauth',
    -- What the login might do at that moment, why, and since when it was suspended.
    'access text', 'access_reason text', 'suspended_on timestamp',
    -- The session in the way of a second one.
    'other_mac text', 'other_nas_id int');
SELECT radius.ensure_index('radpostauth_id', 'ON radius.radpostauth (id)');
SELECT radius.ensure_index('radpostauth_user', 'ON radius.radpostauth (username, authdate)');
SELECT radius.ensure_index('radpostauth_subscription',
    'ON radius.radpostauth (subscription_id, authdate)');

CREATE OR REPLACE FUNCTION radius.make_partition(parent text, month timestamp) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    part text := parent || '_' || to_char(month, 'YYYYMM');
BEGIN
    IF to_regclass('radius.' || part) IS NOT NULL THEN
        RETURN 0;
    END IF;
    EXECUTE format('CREATE TABLE radius.%I PARTITION OF radius.%I FOR VALUES FROM (%L) TO (%L)',
        part, parent, month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
    IF parent = 'radacct' THEN
        EXECUTE format('CREATE UNIQUE INDEX %I ON radius.%I (acctuniqueid)', part || '_uid', part);
    END IF;
    RETURN 1;
END $$;

CREATE OR REPLACE FUNCTION radius.ensure_partitions(back int DEFAULT 1, ahead int DEFAULT 3)
RETURNS bigint LANGUAGE sql AS $$
    SELECT sum(radius.make_partition(parent,
        date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => step)))
    FROM unnest(ARRAY['radacct', 'radpostauth']) parent, generate_series(-back, ahead) step
$$;

-- === RIGHTS === --

CREATE OR REPLACE FUNCTION radius.grant_access(role_name name) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    -- Odoo lets everybody create objects in public when it makes a database. A role that can,
    -- could slip functions of its own under Odoo's queries.
    BEGIN
        EXECUTE format('GRANT CREATE ON SCHEMA public TO %s',
            (SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'radius'));
        REVOKE CREATE ON SCHEMA public FROM PUBLIC;
    EXCEPTION WHEN insufficient_privilege THEN
        RAISE WARNING 'schema public stays open: its owner should REVOKE CREATE FROM PUBLIC';
    END;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role_name);
    EXECUTE format('GRANT USAGE ON SCHEMA radius TO %I', role_name);
    EXECUTE format('GRANT EXECUTE ON FUNCTION radius.login_items(text, text),
        radius.other_sessions(text, int, text, int), radius.claim(text, text, text),
        radius.record_login(text, text, text, text, text, text, text, text, text),
        radius.record_accept(text, text, int, text, text, text, inet),
        radius.find_nas(text) TO %I', role_name);
    -- Of earlier versions.
    EXECUTE format('REVOKE INSERT ON radius.radpostauth FROM %I', role_name);
    EXECUTE format('REVOKE EXECUTE ON FUNCTION radius.subscription_of(text) FROM %I', role_name);
    PERFORM radius.grant_accounting(role_name);
END $$;
