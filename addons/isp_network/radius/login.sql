-- Logins: what FreeRADIUS asks and tells. Its role may call login_items, other_sessions, claim,
-- record_accept and record_login, see grant_access.

-- Devices learned at a login and not yet taken over by Odoo, which then has them among the MAC
-- addresses of the subscription.
CREATE TABLE IF NOT EXISTS radius.device (
    login_id int NOT NULL,
    mac text NOT NULL,
    learned_on timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'),
    PRIMARY KEY (login_id, mac)
);

-- Accepted a moment ago, and no accounting yet: counts as a session. A crash may forget it.
CREATE UNLOGGED TABLE IF NOT EXISTS radius.pending (
    username text NOT NULL,
    mac text NOT NULL,
    accepted_at timestamptz NOT NULL,
    PRIMARY KEY (username, mac)
) WITH (fillfactor = 50);

-- How often an address has asked the payment page about a name.
CREATE UNLOGGED TABLE IF NOT EXISTS radius.walled_lookup (
    network cidr PRIMARY KEY,
    since timestamptz NOT NULL,
    count int NOT NULL
);

-- === WHO IS IT === --

-- The login that a name stands for: the name itself, the name before an @ and the realm of the
-- company, or on a router that logs devices in by their address the device's MAC address.
CREATE OR REPLACE FUNCTION radius.find_login(login_name text, nas_address text DEFAULT NULL)
RETURNS radius.login LANGUAGE plpgsql STABLE SET search_path = radius, pg_temp AS $$
DECLARE
    a login%ROWTYPE;
BEGIN
    SELECT * INTO a FROM login l WHERE l.username = login_name
    ORDER BY l.access = 'none', l.id DESC LIMIT 1;
    IF NOT FOUND AND strpos(login_name, '@') > 0 THEN
        SELECT * INTO a FROM login l
        WHERE l.username = regexp_replace(login_name, '@[^@]*$', '')
            AND l.realm = substring(login_name from '@([^@]*)$')
        ORDER BY l.access = 'none', l.id DESC LIMIT 1;
    END IF;
    IF NOT FOUND AND nas_address IS NOT NULL
        AND login_name ~ '^[0-9a-f]{2}([-:]?[0-9a-f]{2}){5}$'
        AND (SELECT c.login_by_mac FROM client c WHERE c.ip_address = nas_address)
    THEN
        SELECT * INTO a FROM login l
        WHERE string_to_array(l.mac_addresses, '|') @> ARRAY[mac_of(login_name)]
            AND l.service_type IN ('ipoe', 'static')
        ORDER BY l.access = 'none', l.id DESC LIMIT 1;
    END IF;
    RETURN a;
END $$;

-- A MAC address in RADIUS' own notation, NULL for anything else.
CREATE OR REPLACE FUNCTION radius.mac_of(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN length(digits) = 12
        THEN rtrim(regexp_replace(upper(digits), '(..)', '\1-', 'g'), '-') END
    FROM (SELECT regexp_replace($1, '[^0-9A-Fa-f]', '', 'g')) d (digits)
    WHERE $1 ~ '^[0-9A-Fa-f:.-]+$'
$$;

CREATE OR REPLACE FUNCTION radius.bound_macs(a radius.login) RETURNS text[]
LANGUAGE sql STABLE SET search_path = radius, pg_temp AS $$
    SELECT COALESCE(string_to_array(a.mac_addresses, '|'), '{}')
        || ARRAY(SELECT d.mac FROM device d WHERE d.login_id = a.id
                 AND d.mac <> ALL (COALESCE(string_to_array(a.mac_addresses, '|'), '{}')))
$$;

-- Why a login is refused whatever its password, NULL when it is not.
CREATE OR REPLACE FUNCTION radius.refusal(a radius.login) RETURNS text
LANGUAGE sql STABLE SET search_path = radius, pg_temp AS $$
    SELECT CASE
        WHEN a.voucher_id IS NULL THEN
            CASE WHEN service(a.access, a.valid_until) = 'reject' THEN 'not-active' END
        WHEN a.access = 'none' THEN 'voucher-' || a.reason
        WHEN a.valid_until <= now() AT TIME ZONE 'UTC' THEN 'voucher-expired' END
$$;

-- === WHAT IT MAY DO === --

-- What is asked for whatever login it is; login_items takes the plain ones out. Two statements whose
-- plans the session keeps: each further expression or function of PL/pgSQL would be prepared anew
-- for each login, which takes longer than to find it.
CREATE OR REPLACE FUNCTION radius.any_login_items(login_name text, nas_address text)
RETURNS TABLE (id int, username text, attribute text, value text, op text)
LANGUAGE plpgsql STABLE SET search_path = radius, pg_temp AS $$
#variable_conflict use_column
DECLARE
    key int;
BEGIN
    -- At most one that may do something has the name.
    SELECT l.id INTO key FROM login l WHERE l.username = login_name AND l.access <> 'none';
    IF NOT FOUND THEN
        SELECT f.id INTO key FROM find_login(login_name, nas_address) f;
    END IF;
    RETURN QUERY
    SELECT CASE WHEN u.attribute = 'ISP-Bound-MAC' THEN 9 WHEN u.n <= 8 THEN u.n::int
            ELSE u.n::int + 12 END,
        a.username, u.attribute, u.value,
        CASE WHEN u.attribute = 'ISP-Bound-MAC' THEN '+=' ELSE ':=' END
    -- OFFSET 0 keeps the planner from working a value out again wherever it is used.
    FROM (
        SELECT l.*, r.refused,
            CASE WHEN r.refused IS NULL THEN service(l.access, l.valid_until)
                ELSE 'reject' END AS service,
            -- A voucher's time begins with this login.
            CASE WHEN l.valid_seconds IS NOT NULL THEN l.valid_seconds
                WHEN l.valid_until > now() AT TIME ZONE 'UTC'
                    THEN ceil(extract(epoch FROM l.valid_until - (now() AT TIME ZONE 'UTC')))::bigint
            END AS seconds_left,
            CASE WHEN l.mac_lock = 'first_use' THEN bound_macs(l)
                WHEN l.mac_lock = 'fixed' AND l.mac_addresses IS NULL THEN '{none}'
                ELSE string_to_array(l.mac_addresses, '|') END AS macs,
            -- As unseal() opens it, but of 32 digits and 16 bytes of padding only: then there is
            -- no error to catch, which takes longer than to decipher. So does a regular expression.
            CASE WHEN length(l.nt_secret) = 128
                    AND translate(l.nt_secret, '0123456789abcdef', '') = ''
                    AND length(current_setting('radius.key', true)) = 64
                THEN public.decrypt_iv(decode(substr(l.nt_secret, 33), 'hex'),
                    decode(current_setting('radius.key', true), 'hex'),
                    decode(left(l.nt_secret, 32), 'hex'), 'aes-cbc/pad:none')
                END AS nt_padded,
            COALESCE((SELECT c.nas_type = 'mikrotik' FROM client c
                      WHERE c.ip_address = nas_address), true) AS mikrotik
        FROM login l
        CROSS JOIN LATERAL (SELECT CASE WHEN l.access = 'none' OR l.voucher_id IS NOT NULL
            THEN refusal(l) END OFFSET 0) r (refused)
        WHERE l.id = key OFFSET 0
    ) a
    CROSS JOIN LATERAL (
        SELECT a.service IN ('full', 'throttled') AS open,
            CASE WHEN a.service IN ('full', 'throttled') THEN a.address_list
                ELSE 'walled-garden' END AS list,
            CASE WHEN a.service IN ('full', 'throttled') AND a.delegated_prefix IS NULL
                THEN a.ipv6_pool END AS ipv6_pool
        OFFSET 0
    ) b
    CROSS JOIN LATERAL unnest(
        '{ISP-Subscription-Id,ISP-Service,NT-Password,Cleartext-Password,Simultaneous-Use,
            ISP-Refusal,ISP-Learn,ISP-Found-MAC,Framed-IP-Address,Framed-Pool,
            Delegated-IPv6-Prefix,Session-Timeout,Idle-Timeout,Acct-Interim-Interval,
            Reply-Message}'::text[]
        || CASE WHEN a.mikrotik
            THEN '{Mikrotik-Rate-Limit,NULL,Mikrotik-Address-List,Mikrotik-Delegated-IPv6-Pool}'
            ELSE '{WISPr-Bandwidth-Max-Up,WISPr-Bandwidth-Max-Down,Filter-Id,Framed-IPv6-Pool}'
        END::text[]
        || CASE WHEN a.macs IS NOT NULL
            THEN array_fill('ISP-Bound-MAC'::text, ARRAY[cardinality(a.macs)]) END,
        ARRAY[
            COALESCE(a.subscription_id, 0)::text,
            a.service,
            CASE WHEN substr(a.nt_padded, 33) = '\x10101010101010101010101010101010'
                    AND encode(substr(a.nt_padded, 1, 32), 'escape') ~ '^[0-9A-Fa-f]{32}$'
                THEN encode(substr(a.nt_padded, 1, 32), 'escape') END,
            CASE WHEN a.chap_secret IS NOT NULL THEN unseal(a.chap_secret) END,
            a.simultaneous_use::text,
            a.refused,
            CASE WHEN a.valid_seconds IS NOT NULL OR (a.mac_lock = 'first_use'
                AND cardinality(a.macs) < COALESCE(a.mac_lock_devices, 1)) THEN 'yes' END,
            -- Found by its address: no password is asked.
            CASE WHEN a.username <> login_name AND strpos(login_name, '@') = 0
                THEN mac_of(login_name) END,
            CASE WHEN b.open THEN a.ipv4_address END,
            CASE WHEN NOT b.open THEN 'pool-walled'
                WHEN a.ipv4_address IS NULL THEN a.framed_pool END,
            CASE WHEN b.open THEN a.delegated_prefix END,
            CASE WHEN b.open THEN LEAST(a.session_timeout_s, a.seconds_left)::text
                ELSE '1800' END,
            a.idle_timeout_s::text,
            a.interim_interval_s::text,
            CASE WHEN b.open THEN NULL WHEN a.service = 'reject' THEN 'Service not active'
                -- Walled in by the ledger for another reason than money. Who has used up his
                -- volume and whose time is over too has to pay first.
                WHEN a.access = 'walled' AND a.reason = 'cap' THEN CASE
                    WHEN a.valid_until IS NULL OR a.seconds_left IS NOT NULL
                    THEN 'Data volume used up' ELSE 'Payment due' END
                WHEN a.access = 'walled' AND a.reason <> 'overdue' THEN 'Service suspended'
                ELSE 'Payment due' END,
            CASE WHEN NOT a.mikrotik
                    THEN CASE WHEN b.open THEN (a.upload_kbps::bigint * 1000)::text
                        ELSE '512000' END
                WHEN NOT b.open THEN '512k/512k'
                -- Without a burst, spelt out here: the function has to be prepared.
                WHEN a.upload_kbps > 0 AND a.download_kbps > 0 AND COALESCE(a.priority, 8) = 8
                    AND COALESCE(a.burst_upload_kbps, a.burst_download_kbps) IS NULL
                    THEN rate(a.upload_kbps) || '/' || rate(a.download_kbps)
                ELSE rate_limit(a.upload_kbps, a.download_kbps, a.burst_upload_kbps,
                    a.burst_download_kbps, a.burst_threshold_upload_kbps,
                    a.burst_threshold_download_kbps, a.burst_time_s, a.priority) END,
            CASE WHEN NOT a.mikrotik
                THEN CASE WHEN b.open THEN (a.download_kbps::bigint * 1000)::text
                    ELSE '512000' END END,
            b.list,
            b.ipv6_pool
        ] || a.macs
    ) WITH ORDINALITY u (attribute, value, n)
    WHERE u.value IS NOT NULL;
END $$;

-- One look-up a login. Numbers below 20 say how to check it, the others what to answer. Nearly all
-- are plain: an open service, a MikroTik, no voucher, device lock, CHAP or burst. Their answer is one
-- row spelt out, in half of the time. A test compares both ways.
CREATE OR REPLACE FUNCTION radius.login_items(login_name text, nas_address text DEFAULT NULL)
RETURNS TABLE (id int, username text, attribute text, value text, op text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = radius, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT CASE WHEN u.n <= 4 THEN u.n::int ELSE u.n::int + 20 END,
        login_name, u.attribute, u.value, ':='
    FROM login l
    CROSS JOIN LATERAL unnest(
        '{ISP-Subscription-Id,ISP-Service,NT-Password,Simultaneous-Use,Framed-IP-Address,
            Framed-Pool,Delegated-IPv6-Prefix,Session-Timeout,Idle-Timeout,
            Acct-Interim-Interval,Mikrotik-Rate-Limit,Mikrotik-Address-List,
            Mikrotik-Delegated-IPv6-Pool}'::text[],
        ARRAY[
            COALESCE(l.subscription_id, 0)::text,
            l.access,
            encode(substr(public.decrypt_iv(decode(substr(l.nt_secret, 33), 'hex'),
                decode(current_setting('radius.key', true), 'hex'),
                decode(left(l.nt_secret, 32), 'hex'), 'aes-cbc/pad:none'), 1, 32), 'escape'),
            l.simultaneous_use::text,
            l.ipv4_address,
            CASE WHEN l.ipv4_address IS NULL THEN l.framed_pool END,
            l.delegated_prefix,
            CASE WHEN l.valid_until IS NULL THEN l.session_timeout_s
                ELSE LEAST(l.session_timeout_s,
                    ceil(extract(epoch FROM l.valid_until - (now() AT TIME ZONE 'UTC')))::bigint)
                END::text,
            l.idle_timeout_s::text,
            l.interim_interval_s::text,
            rate(l.upload_kbps) || '/' || rate(l.download_kbps),
            l.address_list,
            CASE WHEN l.delegated_prefix IS NULL THEN l.ipv6_pool END
        ]
    ) WITH ORDINALITY u (attribute, value, n)
    WHERE l.username = login_name AND l.access IN ('full', 'throttled')
        AND (l.valid_until IS NULL OR l.valid_until > now() AT TIME ZONE 'UTC')
        AND l.voucher_id IS NULL AND l.valid_seconds IS NULL
        AND l.mac_lock IS NULL AND l.mac_addresses IS NULL AND l.chap_secret IS NULL
        AND l.upload_kbps > 0 AND l.download_kbps > 0 AND COALESCE(l.priority, 8) = 8
        AND COALESCE(l.burst_upload_kbps, l.burst_download_kbps) IS NULL
        AND length(current_setting('radius.key', true)) = 64 AND length(l.nt_secret) = 128
        AND translate(l.nt_secret, '0123456789abcdef', '') = ''
        AND COALESCE((SELECT c.nas_type = 'mikrotik' FROM client c
                      WHERE c.ip_address = nas_address), true)
        -- Sealed with another key it is rubbish.
        AND (u.attribute <> 'NT-Password' OR length(u.value) = 32
            AND translate(u.value, '0123456789ABCDEFabcdef', '') = '')
        AND u.value IS NOT NULL;
    IF FOUND THEN
        RETURN;
    END IF;
    RETURN QUERY SELECT * FROM any_login_items(login_name, nas_address);
END $$;

-- The two halves, for those who look at what a router would be told.
DROP FUNCTION IF EXISTS radius.check_items(text);
CREATE OR REPLACE FUNCTION radius.check_items(login_name text, nas_address text DEFAULT NULL)
RETURNS TABLE (id int, username text, attribute text, value text, op text)
LANGUAGE sql STABLE SET search_path = radius, pg_temp AS $$
    SELECT * FROM login_items(login_name, nas_address) i WHERE i.id < 20
$$;

CREATE OR REPLACE FUNCTION radius.reply_items(login_name text, nas_address text DEFAULT NULL)
RETURNS TABLE (id int, username text, attribute text, value text, op text)
LANGUAGE sql STABLE SET search_path = radius, pg_temp AS $$
    SELECT * FROM login_items(login_name, nas_address) i WHERE i.id >= 20
$$;

-- For accounting of a NAS that does not send Class back.
CREATE OR REPLACE FUNCTION radius.subscription_of(login_name text) RETURNS int
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = radius, pg_temp AS $$
DECLARE
    a login%ROWTYPE := find_login(login_name);
BEGIN
    RETURN a.subscription_id;
END $$;

-- === ONE AT A TIME === --

-- Sessions of a login on other devices than this one, which may come back before its router
-- noticed that it was gone. Silent for 20 minutes counts as gone. Logins that were accepted a
-- moment ago count before their router reports them, so that several at once do not all get in.
CREATE OR REPLACE FUNCTION radius.other_sessions(
    login_name text, subscription int, device text, allowed int
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = radius, pg_temp AS $$
DECLARE
    others bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('isp-login'), hashtext(
        COALESCE(NULLIF(subscription, 0)::text, login_name)));
    IF subscription > 0 THEN
        SELECT count(*) INTO others FROM radacct_open o
        WHERE o.subscription_id = subscription AND o.acctupdatetime > now() - interval '20 minutes'
            AND o.callingstationid IS DISTINCT FROM device;
    ELSE
        SELECT count(*) INTO others FROM radacct_open o
        WHERE o.username = login_name AND o.acctupdatetime > now() - interval '20 minutes'
            AND o.callingstationid IS DISTINCT FROM device;
    END IF;
    IF device <> '' THEN
        SELECT others + count(*) INTO others FROM pending p
        WHERE p.username = COALESCE(NULLIF(subscription, 0)::text, login_name)
            AND p.mac <> device AND p.accepted_at > now() - interval '10 s'
            -- A router has reported it since: it is counted above, or over.
            AND NOT EXISTS (SELECT FROM radacct r
                WHERE r.callingstationid = p.mac
                    AND CASE WHEN subscription > 0 THEN r.subscription_id = subscription
                        ELSE r.username = login_name END
                    AND (r.acctstoptime IS NULL OR r.acctstoptime > now() - interval '1 minute')
                    AND r.acctupdatetime >= date_trunc('second', p.accepted_at));
        IF others < allowed THEN
            INSERT INTO pending VALUES (
                COALESCE(NULLIF(subscription, 0)::text, login_name), device, now())
            ON CONFLICT (username, mac) DO UPDATE SET accepted_at = excluded.accepted_at;
        END IF;
    END IF;
    RETURN others;
END $$;

-- A login that was accepted takes its place: the device is learned, a voucher's time begins.
-- Returns "ok", or why it comes too late.
CREATE OR REPLACE FUNCTION radius.claim(login_name text, nas_address text, device text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = radius, pg_temp AS $$
DECLARE
    a login%ROWTYPE := find_login(login_name, nas_address);
    moment timestamp := clock_timestamp() AT TIME ZONE 'UTC';
    macs text[];
    until timestamp;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('isp-claim'), a.id);
    IF a.mac_lock = 'first_use' AND mac_of(device) IS NOT NULL THEN
        macs := bound_macs(a);
        IF device <> ALL (macs) THEN
            IF cardinality(macs) >= COALESCE(a.mac_lock_devices, 1) THEN
                RETURN 'mac-mismatch';
            END IF;
            INSERT INTO device (login_id, mac, learned_on) VALUES (a.id, device, moment);
        END IF;
    END IF;
    IF a.valid_seconds IS NOT NULL THEN
        until := moment + make_interval(secs => a.valid_seconds);
        INSERT INTO voucher_use VALUES (a.voucher_id, moment, until, NULLIF(device, ''))
        ON CONFLICT DO NOTHING;
        UPDATE login l SET valid_until = until, valid_seconds = NULL
        WHERE l.id = a.id AND l.valid_seconds IS NOT NULL;
    END IF;
    RETURN 'ok';
END $$;

-- === ON RECORD === --

-- Keep that somebody was let in, as nearly every answer is.
CREATE OR REPLACE FUNCTION radius.record_accept(
    typed_name text, service text, subscription int, nas_key text, called text, calling text,
    nas_address inet
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = radius, pg_temp AS $$
BEGIN
    INSERT INTO radpostauth (username, reply, subscription_id, nas_id, calledstationid,
        callingstationid, nasipaddress, access)
    VALUES (typed_name, 'Access-Accept', NULLIF(subscription, 0),
        CASE WHEN nas_key LIKE 'nas-%' THEN substr(nas_key, 5)::int END, called, calling,
        nas_address, service);
    RETURN true;
END $$;

-- Keep an answer with its reason, never with a password.
CREATE OR REPLACE FUNCTION radius.record_login(
    login_name text, typed_name text, reply text, why text, subscription text, nas_key text,
    called text, calling text, nas_address text
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = radius, pg_temp AS $$
DECLARE
    a login%ROWTYPE;
    other record;
    nas int := substring(nas_key from '^nas-([0-9]{1,9})$')::int;
BEGIN
    IF reply = 'Access-Accept' THEN
        -- Asked by the configuration of a FreeRADIUS that was not restarted since an upgrade.
        RETURN record_accept(typed_name, why, NULLIF(subscription, '')::int, nas_key, called,
            calling, nas_address::inet);
    END IF;
    a := find_login(login_name, (SELECT c.ip_address FROM client c WHERE c.id = nas));
    IF why = 'session-limit' THEN
        SELECT o.callingstationid AS mac, o.nas_id INTO other FROM radacct_open o
        WHERE (o.subscription_id = a.subscription_id
                OR (a.subscription_id IS NULL AND o.username = login_name))
            AND o.callingstationid IS DISTINCT FROM calling
        ORDER BY o.acctupdatetime DESC LIMIT 1;
        INSERT INTO radpostauth (username, reply, reason, subscription_id, nas_id,
            calledstationid, callingstationid, nasipaddress, access, access_reason, suspended_on,
            other_mac, other_nas_id)
        VALUES (typed_name, reply, why, a.subscription_id, nas, called, calling,
            nas_address::inet, a.access, a.reason, a.suspended_on, other.mac, other.nas_id);
    ELSE
        INSERT INTO radpostauth (username, reply, reason, subscription_id, nas_id,
            calledstationid, callingstationid, nasipaddress, access, access_reason, suspended_on)
        VALUES (typed_name, reply, NULLIF(left(why, 200), ''), a.subscription_id, nas, called,
            calling, nas_address::inet, a.access, a.reason, a.suspended_on);
    END IF;
    RETURN true;
END $$;
