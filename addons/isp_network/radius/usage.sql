-- Usage per subscription and day, fed by what each accounting report added (radius.usage_delta).

-- Days are the company's. Monthly partitions, so that a month is read and dropped as a whole.
CREATE TABLE IF NOT EXISTS radius.usage_day (
    subscription_id int NOT NULL,
    day date NOT NULL,
    company_id int,
    upload_bytes bigint NOT NULL,
    download_bytes bigint NOT NULL,
    session_seconds bigint NOT NULL,
    PRIMARY KEY (subscription_id, day)
) PARTITION BY RANGE (day);

CREATE OR REPLACE FUNCTION radius.ensure_usage_months(first date, last date) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    month date := date_trunc('month', first);
BEGIN
    WHILE month <= last LOOP
        IF to_regclass('radius.usage_day_' || to_char(month, 'YYYYMM')) IS NULL THEN
            EXECUTE format('CREATE TABLE radius.%I PARTITION OF radius.usage_day
                FOR VALUES FROM (%L) TO (%L) WITH (fillfactor = 80)',
                'usage_day_' || to_char(month, 'YYYYMM'), month, (month + interval '1 month')::date);
        END IF;
        month := month + interval '1 month';
    END LOOP;
END $$;

-- The parts of a report by day, by the share of time; the parts sum up to the whole.
CREATE OR REPLACE FUNCTION radius.split_days(
    begun timestamp, ended timestamp, upload bigint, download bigint, seconds bigint
) RETURNS TABLE (day date, upload_bytes bigint, download_bytes bigint, session_seconds bigint)
LANGUAGE sql IMMUTABLE AS $$
    SELECT d::date,
        floor(upload * b.upper)::bigint - floor(upload * b.lower)::bigint,
        floor(download * b.upper)::bigint - floor(download * b.lower)::bigint,
        floor(seconds * b.upper)::bigint - floor(seconds * b.lower)::bigint
    FROM generate_series(begun::date::timestamp, ended, interval '1 day') d,
        LATERAL (SELECT
            GREATEST(extract(epoch FROM d - begun) / extract(epoch FROM ended - begun), 0) AS lower,
            CASE WHEN d + interval '1 day' > ended THEN 1
                ELSE extract(epoch FROM d + interval '1 day' - begun)
                    / extract(epoch FROM ended - begun) END AS upper
        ) b
    WHERE d < ended
$$;

-- Put what was reported since the last call on its days. One transaction, so that a crash at any
-- moment counts everything once. zones: {company id: name of its time zone}.
-- Returns the subscriptions that used something.
CREATE OR REPLACE FUNCTION radius.roll_up_usage(zones jsonb) RETURNS SETOF int
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    first timestamptz;
    last timestamptz;
BEGIN
    -- Whoever comes second finds nothing to do; what is reported meanwhile waits for the next call.
    IF NOT pg_try_advisory_xact_lock(hashtext('radius.roll_up_usage')) THEN
        RETURN;
    END IF;
    SELECT min(until), max(until) INTO first, last FROM radius.usage_delta;
    IF first IS NULL THEN
        RETURN;
    END IF;
    PERFORM radius.ensure_usage_months((first - interval '63 days')::date, (last + interval '1 day')::date);
    RETURN QUERY
    WITH taken AS MATERIALIZED (
        DELETE FROM radius.usage_delta RETURNING *
    ), placed AS (
        SELECT t.subscription_id, s.company_id, t.upload_bytes, t.download_bytes,
            t.session_seconds, t.until AT TIME ZONE z.zone AS ended,
            -- A session that nobody heard of for longer is put on the last two months.
            GREATEST(t.since, t.until - interval '62 days') AT TIME ZONE z.zone AS begun
        FROM taken t
        LEFT JOIN public.isp_subscription s ON s.id = t.subscription_id
        CROSS JOIN LATERAL (SELECT COALESCE(zones ->> s.company_id::text, 'UTC')) z (zone)
    ), parts AS (
        -- Clocks that are put back may let a report end before it began.
        SELECT subscription_id, company_id, ended::date AS day, upload_bytes, download_bytes,
            session_seconds
        FROM placed WHERE begun::date >= ended::date
        UNION ALL
        SELECT subscription_id, company_id, d.day, d.upload_bytes, d.download_bytes,
            d.session_seconds
        FROM placed CROSS JOIN LATERAL radius.split_days(
            begun, ended, upload_bytes, download_bytes, session_seconds) d
        WHERE begun::date < ended::date
    ), stored AS (
        INSERT INTO radius.usage_day AS u
        SELECT subscription_id, day, max(company_id), sum(upload_bytes), sum(download_bytes),
            sum(session_seconds)
        FROM parts GROUP BY subscription_id, day
        ON CONFLICT (subscription_id, day) DO UPDATE SET
            upload_bytes = u.upload_bytes + excluded.upload_bytes,
            download_bytes = u.download_bytes + excluded.download_bytes,
            session_seconds = u.session_seconds + excluded.session_seconds
        RETURNING subscription_id
    )
    SELECT DISTINCT subscription_id FROM stored;
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA radius FROM PUBLIC;
