-- Accounting: what FreeRADIUS calls for each packet, and the sweep of silent sessions.
--
-- FreeRADIUS may call the functions and nothing else, so that no packet can touch a session in
-- another way. Counters only ever grow here: a duplicate, a late packet or a replay adds nothing,
-- and a router that starts its counters again adds to what was counted before.

DO $$
BEGIN
    IF to_regtype('radius.packet') IS NULL THEN
        CREATE TYPE radius.packet AS (
            session_id text, uid text, username text, realm text, nas_address inet, nas_key text,
            class text, port_id text, port_type text, authentic text, connect_info text,
            called text, calling text, service_type text, protocol text, ip inet, ip6 inet,
            ip6_prefix inet, interface_id text, delegated inet,
            -- When it happened, by FreeRADIUS' clock: the router's own is not believed.
            at timestamptz,
            -- NULL where the router did not say.
            seconds bigint, octets_in bigint, octets_out bigint,
            -- Whether the router counts past 32 bits.
            wide boolean,
            cause text
        );
        CREATE TYPE radius.counters AS (
            octets_in bigint, octets_out bigint, seconds bigint,
            -- What was counted before the router began again.
            base_in bigint, base_out bigint, base_seconds bigint,
            since timestamptz
        );
    END IF;
    -- Asked first, because ALTER TABLE waits for every packet even when there is nothing to add.
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'radius.radacct'::regclass
                   AND attname = 'counters_since') THEN
        ALTER TABLE radius.radacct
            ADD COLUMN IF NOT EXISTS base_in bigint NOT NULL DEFAULT 0,
            ADD COLUMN IF NOT EXISTS base_out bigint NOT NULL DEFAULT 0,
            ADD COLUMN IF NOT EXISTS base_seconds bigint NOT NULL DEFAULT 0,
            ADD COLUMN IF NOT EXISTS counters_since timestamptz;
    END IF;
END $$;

-- What each report added to its session, until radius.roll_up_usage puts it on its day. Written
-- in the packet's own statement, so a crash keeps or loses both together. It has no index: a row
-- is written once and taken once.
CREATE TABLE IF NOT EXISTS radius.usage_delta (
    subscription_id int NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    upload_bytes bigint NOT NULL,
    download_bytes bigint NOT NULL,
    session_seconds bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);

-- Sessions that this side ended, not the router: a later report opens them again.
CREATE OR REPLACE FUNCTION radius.is_ours(cause text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT COALESCE(cause IN ('Stale-Session', 'NAS-Reboot', 'Roamed'), false)
$$;

-- A packet that claims to come from another age would find no month to be stored in.
CREATE OR REPLACE FUNCTION radius.believable(moment timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT LEAST(GREATEST(moment, now() - interval '28 days'), now() + interval '1 day')
$$;

-- === COUNTERS === --

-- Add a report to what was counted. Counters that fell mean one of three things:
-- * the report is older than what is known: nothing to add;
-- * a counter of 32 bits went round: 2^32 are added;
-- * the router began again, within the session: what was counted becomes the base.
CREATE OR REPLACE FUNCTION radius.advance(c radius.counters, heard timestamptz, p radius.packet)
RETURNS radius.counters LANGUAGE plpgsql IMMUTABLE SET search_path = radius, pg_temp AS $$
DECLARE
    raw_in bigint := c.octets_in - c.base_in;
    raw_out bigint := c.octets_out - c.base_out;
    raw_seconds bigint := c.seconds - c.base_seconds;
    fell_in boolean := COALESCE(p.octets_in < raw_in, false);
    fell_out boolean := COALESCE(p.octets_out < raw_out, false);
    went_on boolean := COALESCE(p.seconds > raw_seconds, false);
    -- The clock of the session began again after what was heard last. 2 s: times are whole seconds.
    new_clock boolean := COALESCE(p.seconds < raw_seconds
        AND p.at - make_interval(secs => p.seconds) >= heard - interval '2 s', false);
BEGIN
    IF p.at < c.since THEN
        RETURN c;
    END IF;
    IF went_on AND fell_in <> fell_out AND NOT p.wide
        AND (CASE WHEN fell_in THEN raw_in ELSE raw_out END)
            BETWEEN (1::bigint << 31) AND (1::bigint << 32) - 1
    THEN
        IF fell_in THEN
            c.base_in := c.base_in + (1::bigint << 32);
        ELSE
            c.base_out := c.base_out + (1::bigint << 32);
        END IF;
    ELSIF new_clock OR ((fell_in OR fell_out)
        AND (went_on OR (p.seconds IS NULL AND p.at >= heard + interval '60 s')))
    THEN
        c.base_in := c.octets_in;
        c.base_out := c.octets_out;
        c.since := p.at;
        IF new_clock THEN
            c.base_seconds := c.seconds;
        END IF;
    END IF;
    c.octets_in := GREATEST(c.octets_in, c.base_in + COALESCE(p.octets_in, 0));
    c.octets_out := GREATEST(c.octets_out, c.base_out + COALESCE(p.octets_out, 0));
    c.seconds := GREATEST(c.seconds, c.base_seconds + COALESCE(p.seconds, 0));
    RETURN c;
END $$;

-- === PACKETS === --

CREATE OR REPLACE FUNCTION radius.nas_number(nas_key text) RETURNS int
LANGUAGE sql IMMUTABLE AS $$ SELECT substring(nas_key from '^nas-([0-9]{1,9})$')::int $$;

-- Store a session that is not known yet.
CREATE OR REPLACE FUNCTION radius.open_session(
    p radius.packet, c radius.counters, ended timestamptz, OUT stored boolean
) LANGUAGE plpgsql SET search_path = radius, pg_temp AS $$
DECLARE
    owner int := COALESCE(
        NULLIF(substring(p.class from '^ai:[0-9a-f]{32}:([0-9]{1,9})$')::int, 0),
        subscription_of(p.username));
    begun timestamptz := p.at - make_interval(secs => LEAST(c.seconds, 315576000));
BEGIN
    INSERT INTO radacct (
        acctsessionid, acctuniqueid, username, realm, nasipaddress, nas_id, subscription_id,
        nasportid, nasporttype, acctstarttime, acctupdatetime, acctstoptime, acctsessiontime,
        acctauthentic, connectinfo_start, connectinfo_stop, acctinputoctets, acctoutputoctets,
        calledstationid, callingstationid, acctterminatecause, servicetype, framedprotocol,
        framedipaddress, framedipv6address, framedipv6prefix, framedinterfaceid,
        delegatedipv6prefix
    ) VALUES (
        p.session_id, p.uid, p.username, NULLIF(p.realm, ''), p.nas_address,
        nas_number(p.nas_key), owner, NULLIF(p.port_id, ''), p.port_type, begun, p.at, ended,
        c.seconds, p.authentic, p.connect_info, CASE WHEN ended IS NOT NULL THEN p.connect_info END,
        c.octets_in, c.octets_out, p.called, p.calling,
        CASE WHEN ended IS NOT NULL THEN p.cause END, p.service_type, p.protocol, p.ip, p.ip6,
        p.ip6_prefix, NULLIF(p.interface_id, ''), p.delegated
    ) ON CONFLICT DO NOTHING;
    stored := FOUND;
    IF stored AND owner IS NOT NULL AND (c.octets_in > 0 OR c.octets_out > 0 OR c.seconds > 0) THEN
        INSERT INTO usage_delta VALUES (owner, begun, p.at, c.octets_in, c.octets_out, c.seconds);
    END IF;
END $$;

-- A router without Class may use a session number again: the old session hands its key over.
CREATE OR REPLACE FUNCTION radius.release_key(session bigint, stopped timestamptz) RETURNS void
LANGUAGE sql SET search_path = radius, pg_temp AS $$
    UPDATE radacct SET acctuniqueid = acctuniqueid || ':' || radacctid
    WHERE radacctid = session AND acctstoptime = stopped
$$;

CREATE OR REPLACE FUNCTION radius.account_start(p radius.packet) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = radius, pg_temp AS $$
#variable_conflict use_column
DECLARE
    closed record;
BEGIN
    p.at := believable(p.at);
    -- An Interim came first, or the Start was sent again: only ever fill in.
    UPDATE radacct_open SET acctstarttime = LEAST(acctstarttime, p.at),
        connectinfo_start = COALESCE(NULLIF(connectinfo_start, ''), p.connect_info),
        framedipaddress = COALESCE(framedipaddress, p.ip)
    WHERE acctuniqueid = p.uid;
    IF FOUND THEN
        RETURN true;
    END IF;
    SELECT radacctid, acctstoptime INTO closed FROM radacct
    WHERE acctuniqueid = p.uid AND acctstoptime > now() - interval '35 days';
    IF closed.acctstoptime >= p.at - interval '60 s' THEN
        -- Its Stop has been seen already.
        UPDATE radacct SET acctstarttime = LEAST(acctstarttime, p.at)
        WHERE radacctid = closed.radacctid AND acctstoptime = closed.acctstoptime;
        RETURN true;
    ELSIF closed.radacctid IS NOT NULL THEN
        PERFORM release_key(closed.radacctid, closed.acctstoptime);
    END IF;
    IF open_session(p, ROW(0, 0, 0, 0, 0, 0, NULL)::radius.counters, NULL) AND p.calling <> '' THEN
        -- The same device on another router: it has left the one before, which may not have
        -- noticed yet.
        UPDATE radacct SET acctstoptime = GREATEST(acctupdatetime, p.at),
            acctterminatecause = 'Roamed'
        WHERE acctstoptime IS NULL AND username = p.username AND callingstationid = p.calling
            AND acctuniqueid <> p.uid
            AND (nas_id, nasipaddress) IS DISTINCT FROM (nas_number(p.nas_key), p.nas_address);
    END IF;
    RETURN true;
END $$;

-- An Interim, or with final the Stop.
CREATE OR REPLACE FUNCTION radius.account_report(p radius.packet, final boolean) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = radius, pg_temp AS $$
#variable_conflict use_column
DECLARE
    held record;
    c counters;
    begun timestamptz;
BEGIN
    p.at := believable(p.at);
    IF final AND current_setting('radius.stop_waits', true) IS DISTINCT FROM 'off' THEN
        SET LOCAL synchronous_commit = on; -- see account_plain_stop
    END IF;
    LOOP
        SELECT radacctid, subscription_id, acctupdatetime, acctstoptime, acctterminatecause,
            acctinputoctets, acctoutputoctets, acctsessiontime, base_in, base_out, base_seconds,
            counters_since
        INTO held FROM radacct_open WHERE acctuniqueid = p.uid FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            SELECT radacctid, subscription_id, acctupdatetime, acctstoptime, acctterminatecause,
                acctinputoctets, acctoutputoctets, acctsessiontime, base_in, base_out,
                base_seconds, counters_since
            INTO held FROM radacct
            WHERE acctuniqueid = p.uid AND acctstoptime > now() - interval '35 days'
            FOR NO KEY UPDATE;
            IF FOUND AND p.at - make_interval(secs => p.seconds) > held.acctstoptime THEN
                -- Begun after that one ended: another session with the same number.
                PERFORM release_key(held.radacctid, held.acctstoptime);
                CONTINUE;
            END IF;
        END IF;
        EXIT WHEN FOUND;
        -- Neither Start nor Interim was ever seen. Another packet may be a moment faster.
        IF open_session(p, ROW(COALESCE(p.octets_in, 0), COALESCE(p.octets_out, 0),
            COALESCE(p.seconds, 0), 0, 0, 0, NULL)::radius.counters, CASE WHEN final THEN p.at END)
        THEN
            RETURN true;
        END IF;
    END LOOP;

    c := advance(ROW(held.acctinputoctets, held.acctoutputoctets, held.acctsessiontime,
        held.base_in, held.base_out, held.base_seconds, held.counters_since)::radius.counters,
        held.acctupdatetime, p);
    IF held.subscription_id IS NOT NULL AND (c.octets_in > held.acctinputoctets
        OR c.octets_out > held.acctoutputoctets OR c.seconds > held.acctsessiontime)
    THEN
        INSERT INTO usage_delta VALUES (held.subscription_id,
            LEAST(held.acctupdatetime, p.at), GREATEST(held.acctupdatetime, p.at),
            c.octets_in - held.acctinputoctets, c.octets_out - held.acctoutputoctets,
            c.seconds - held.acctsessiontime);
    END IF;

    IF held.acctstoptime IS NULL AND NOT final THEN
        UPDATE radacct_open SET
            acctinterval = GREATEST(0, extract(epoch FROM p.at - acctupdatetime)),
            acctupdatetime = GREATEST(acctupdatetime, p.at), acctsessiontime = c.seconds,
            acctinputoctets = c.octets_in, acctoutputoctets = c.octets_out,
            base_in = c.base_in, base_out = c.base_out, base_seconds = c.base_seconds,
            counters_since = c.since, framedipaddress = COALESCE(p.ip, framedipaddress),
            framedipv6prefix = COALESCE(p.ip6_prefix, framedipv6prefix),
            delegatedipv6prefix = COALESCE(p.delegated, delegatedipv6prefix)
        WHERE acctuniqueid = p.uid;
        RETURN true;
    END IF;
    -- A Stop moves the row to its month, a report after our own guess moves it back.
    UPDATE radacct SET
        acctstoptime = CASE
            WHEN final AND (acctstoptime IS NULL OR is_ours(acctterminatecause)) THEN p.at
            WHEN is_ours(acctterminatecause) AND p.at > acctstoptime THEN NULL
            ELSE acctstoptime END,
        acctterminatecause = CASE WHEN final THEN p.cause
            WHEN is_ours(acctterminatecause) AND p.at > acctstoptime THEN NULL
            ELSE acctterminatecause END,
        connectinfo_stop = CASE WHEN final THEN p.connect_info ELSE connectinfo_stop END,
        acctupdatetime = GREATEST(acctupdatetime, p.at), acctsessiontime = c.seconds,
        acctinputoctets = c.octets_in, acctoutputoctets = c.octets_out,
        base_in = c.base_in, base_out = c.base_out, base_seconds = c.base_seconds,
        counters_since = c.since, framedipaddress = COALESCE(p.ip, framedipaddress)
    WHERE acctuniqueid = p.uid AND acctstoptime IS NOT DISTINCT FROM held.acctstoptime;
    RETURN true;
END $$;

-- === PLAIN PACKETS === --

-- Nearly every packet is a Start of a session that nobody has heard of, an Interim of one that is
-- open, or its Stop, in order and with counters that grew. Each has a function here that writes what
-- the general one would, in one statement, and answers with no row for anything else: FreeRADIUS
-- then asks the general one, with the whole packet. They take plain values, because reading a whole
-- packet costs more than storing it; what the router did not say is empty or negative.
--
-- They name schemas instead of setting search_path, which costs a call as much as a tenth of its
-- work. That is safe as long as the role can create nothing that they could find: see
-- grant_accounting.

-- Of a customer, from a device that is not online elsewhere.
CREATE OR REPLACE FUNCTION radius.account_plain_start(
    session text, uid text, login_name text, realm_name text, nas inet, nas_key text, token text,
    port text, port_kind text, authentic text, info text, called text, calling text, service text,
    protocol text, ip text, ip6 text, ip6_prefix text, interface text, delegated text, epoch bigint
) RETURNS SETOF boolean
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    RETURN QUERY
    INSERT INTO radius.radacct_open (
        acctsessionid, acctuniqueid, username, realm, nasipaddress, nas_id, subscription_id,
        nasportid, nasporttype, acctstarttime, acctupdatetime, acctsessiontime, acctauthentic,
        connectinfo_start, acctinputoctets, acctoutputoctets, calledstationid, callingstationid,
        servicetype, framedprotocol, framedipaddress, framedipv6address, framedipv6prefix,
        framedinterfaceid, delegatedipv6prefix
    )
    SELECT session, uid, login_name, NULLIF(realm_name, ''), nas, radius.nas_number(nas_key),
        l.subscription_id, NULLIF(port, ''), port_kind, to_timestamp(epoch), to_timestamp(epoch), 0,
        authentic, info, 0, 0, called, calling, service, protocol,
        NULLIF(ip, '')::pg_catalog.inet, NULLIF(ip6, '')::pg_catalog.inet,
        NULLIF(ip6_prefix, '')::pg_catalog.inet, NULLIF(interface, ''),
        NULLIF(delegated, '')::pg_catalog.inet
    FROM radius.login l
    WHERE l.username = login_name AND l.access <> 'none' AND l.subscription_id IS NOT NULL
        AND (token = '' OR token LIKE 'ai:%:' || l.subscription_id)
        AND to_timestamp(epoch) BETWEEN now() - interval '28 days' AND now() + interval '1 day'
        AND NOT EXISTS (SELECT FROM radius.radacct r
            WHERE r.acctuniqueid = uid AND r.acctstoptime > now() - interval '35 days')
        AND NOT EXISTS (SELECT FROM radius.radacct_open o
            WHERE o.username = login_name AND o.callingstationid = calling)
    ON CONFLICT DO NOTHING
    RETURNING true;
END $$;

-- With the addresses as before.
--
-- No lock is held between reading and writing: whatever came in between has changed the counters
-- or their time, and the row is left to account_report.
CREATE OR REPLACE FUNCTION radius.account_interim(
    uid text, epoch bigint, session_seconds bigint, gigawords_in bigint, low_in bigint,
    gigawords_out bigint, low_out bigint, ip text, ip6_prefix text, delegated text
) RETURNS SETOF boolean
LANGUAGE plpgsql SECURITY DEFINER AS $$
#variable_conflict use_column
BEGIN
    -- One statement: each further one, and each expression of PL/pgSQL, costs as much as the work.
    RETURN QUERY
    WITH told AS (
        UPDATE radius.radacct_open o SET
            acctinterval = extract(epoch FROM h.moment - h.acctupdatetime),
            acctupdatetime = h.moment, acctsessiontime = h.new_seconds,
            acctinputoctets = h.new_in, acctoutputoctets = h.new_out
        FROM (
            SELECT r.ctid AS place, r.subscription_id, r.acctupdatetime, r.acctinputoctets,
                r.acctoutputoctets, r.acctsessiontime, to_timestamp(epoch) AS moment,
                r.base_in + (gigawords_in << 32) + low_in AS new_in,
                r.base_out + (gigawords_out << 32) + low_out AS new_out,
                r.base_seconds + session_seconds AS new_seconds
            FROM radius.radacct_open r
            WHERE r.acctuniqueid = uid
                -- What the router did not say is negative.
                AND low_in >= 0 AND low_out >= 0 AND session_seconds >= 0
                AND (ip = '' OR ip = host(r.framedipaddress))
                AND (ip6_prefix = '' OR ip6_prefix = text(r.framedipv6prefix))
                AND (delegated = '' OR delegated = text(r.delegatedipv6prefix))
        ) h
        WHERE o.ctid = h.place AND o.acctuniqueid = uid
            -- Who waited for another report of the session finds another row, and nothing is done.
            AND o.acctupdatetime = h.acctupdatetime AND o.acctinputoctets = h.acctinputoctets
            AND o.acctoutputoctets = h.acctoutputoctets AND o.acctsessiontime = h.acctsessiontime
            AND h.acctupdatetime <= h.moment AND h.moment <= now() + interval '1 day'
            AND h.new_in >= h.acctinputoctets AND h.new_out >= h.acctoutputoctets
            AND h.new_seconds >= h.acctsessiontime
        RETURNING h.subscription_id, h.acctupdatetime AS since, h.moment,
            h.new_in - h.acctinputoctets AS more_in, h.new_out - h.acctoutputoctets AS more_out,
            h.new_seconds - h.acctsessiontime AS more_seconds
    ), counted AS (
        INSERT INTO radius.usage_delta
        SELECT t.subscription_id, t.since, t.moment, t.more_in, t.more_out, t.more_seconds
        FROM told t
        WHERE t.subscription_id IS NOT NULL
            AND (t.more_in > 0 OR t.more_out > 0 OR t.more_seconds > 0)
    )
    SELECT true FROM told;
END $$;

-- The row moves to its month. As with an Interim, no lock is held between reading and writing.
CREATE OR REPLACE FUNCTION radius.account_plain_stop(
    uid text, epoch bigint, session_seconds bigint, gigawords_in bigint, low_in bigint,
    gigawords_out bigint, low_out bigint, ip text, info text, cause text
) RETURNS SETOF boolean
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF current_setting('radius.stop_waits', true) IS DISTINCT FROM 'off' THEN
        -- A lost Interim is made good by the next packet. A Stop is the last one, so it waits for
        -- the disk, unless the operator has set otherwise (ALTER DATABASE ... SET).
        SET LOCAL synchronous_commit = on;
    END IF;
    RETURN QUERY
    WITH told AS (
        UPDATE radius.radacct o SET
            acctstoptime = h.moment, acctterminatecause = cause, connectinfo_stop = info,
            acctupdatetime = h.moment, acctsessiontime = h.new_seconds,
            acctinputoctets = h.new_in, acctoutputoctets = h.new_out,
            framedipaddress = COALESCE(NULLIF(ip, '')::pg_catalog.inet, o.framedipaddress)
        FROM (
            SELECT r.subscription_id, r.acctupdatetime, r.acctinputoctets, r.acctoutputoctets,
                r.acctsessiontime, to_timestamp(epoch) AS moment,
                r.base_in + (gigawords_in << 32) + low_in AS new_in,
                r.base_out + (gigawords_out << 32) + low_out AS new_out,
                r.base_seconds + session_seconds AS new_seconds
            FROM radius.radacct_open r
            WHERE r.acctuniqueid = uid AND low_in >= 0 AND low_out >= 0 AND session_seconds >= 0
        ) h
        WHERE o.acctuniqueid = uid AND o.acctstoptime IS NULL
            AND o.acctupdatetime = h.acctupdatetime AND o.acctinputoctets = h.acctinputoctets
            AND o.acctoutputoctets = h.acctoutputoctets AND o.acctsessiontime = h.acctsessiontime
            AND h.acctupdatetime <= h.moment
            AND h.moment BETWEEN now() - interval '28 days' AND now() + interval '1 day'
            AND h.new_in >= h.acctinputoctets AND h.new_out >= h.acctoutputoctets
            AND h.new_seconds >= h.acctsessiontime
        RETURNING h.subscription_id, h.acctupdatetime AS since, h.moment,
            h.new_in - h.acctinputoctets AS more_in, h.new_out - h.acctoutputoctets AS more_out,
            h.new_seconds - h.acctsessiontime AS more_seconds
    ), counted AS (
        INSERT INTO radius.usage_delta
        SELECT t.subscription_id, t.since, t.moment, t.more_in, t.more_out, t.more_seconds
        FROM told t
        WHERE t.subscription_id IS NOT NULL
            AND (t.more_in > 0 OR t.more_out > 0 OR t.more_seconds > 0)
    )
    SELECT true FROM told;
END $$;

-- === ROUTERS === --

-- The router says that it holds no session, because it starts or stops. Its number tells apart
-- routers that were left at the same address of the factory.
CREATE OR REPLACE FUNCTION radius.account_reboot(
    address inet, nas_key text, moment timestamptz
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = radius, pg_temp AS $$
BEGIN
    moment := believable(moment);
    -- No later packet says it again.
    SET LOCAL synchronous_commit = on;
    UPDATE radacct SET acctstoptime = moment, acctterminatecause = 'NAS-Reboot'
    WHERE acctstoptime IS NULL AND nasipaddress = address AND acctstarttime <= moment
        AND nas_id IS NOT DISTINCT FROM nas_number(nas_key);
    RETURN true;
END $$;

-- === SILENT SESSIONS === --

-- Sessions that fell silent end where they were last heard; an Interim that still comes reopens
-- them. How long is too long stands on the router; silent is for sessions of no known router.
CREATE OR REPLACE FUNCTION radius.close_stale(silent interval DEFAULT '20 min') RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    closed bigint;
    gone text[] := ARRAY(
        SELECT o.acctuniqueid FROM radius.radacct_open o
        LEFT JOIN public.isp_nas n ON n.id = o.nas_id
        WHERE o.acctupdatetime < now()
            - COALESCE(make_interval(mins => NULLIF(n.stale_minutes, 0)), silent));
BEGIN
    PERFORM radius.make_partition('radacct', m.month) FROM (
        SELECT DISTINCT date_trunc('month', acctupdatetime AT TIME ZONE 'UTC') AS month
        FROM radius.radacct_open WHERE acctuniqueid = ANY(gone)
    ) m;
    UPDATE radius.radacct
    SET acctstoptime = acctupdatetime, acctterminatecause = 'Stale-Session'
    WHERE acctstoptime IS NULL AND acctuniqueid = ANY(gone);
    GET DIAGNOSTICS closed = ROW_COUNT;
    RETURN closed;
END $$;

-- === RIGHTS === --

CREATE OR REPLACE FUNCTION radius.grant_accounting(role_name name) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    function regprocedure;
BEGIN
    -- A role that can create functions could slip them under those that set no search_path; in the
    -- schema of temporary tables functions are not looked for.
    IF has_database_privilege(role_name, current_database(), 'CREATE') OR EXISTS (
        SELECT FROM pg_namespace n WHERE n.oid <> pg_my_temp_schema()
            AND has_schema_privilege(role_name, n.oid, 'CREATE'))
    THEN
        FOR function IN SELECT p.oid FROM pg_proc p
            WHERE p.pronamespace = 'radius'::regnamespace AND p.prosecdef AND p.proconfig IS NULL
        LOOP
            EXECUTE format('ALTER FUNCTION %s SET search_path = radius, pg_temp', function);
        END LOOP;
    END IF;
    EXECUTE format('GRANT EXECUTE ON FUNCTION radius.account_start(radius.packet),
        radius.account_plain_start(text, text, text, text, inet, text, text, text, text, text, text,
            text, text, text, text, text, text, text, text, text, bigint),
        radius.account_plain_stop(text, bigint, bigint, bigint, bigint, bigint, bigint, text, text, text),
        radius.account_interim(text, bigint, bigint, bigint, bigint, bigint, bigint, text, text,
            text),
        radius.account_report(radius.packet, boolean),
        radius.account_reboot(inet, text, timestamptz) TO %I', role_name);
    -- Of earlier versions.
    EXECUTE format('REVOKE ALL ON radius.radacct FROM %I', role_name);
END $$;
