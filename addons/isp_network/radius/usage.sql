-- Usage per subscription and day, fed by what each accounting report added (radius.usage_delta).

-- Days are the company's. Monthly partitions, so that a month is read and dropped as a whole.
CREATE TABLE IF NOT EXISTS radius.usage_day (
    subscription_id int NOT NULL,
    day date NOT NULL,
    company_id int,
    -- The one the day began with.
    plan_id int,
    upload_bytes bigint NOT NULL,
    download_bytes bigint NOT NULL,
    session_seconds bigint NOT NULL,
    -- How often something was added: 1 tells a new row.
    additions int NOT NULL DEFAULT 1,
    PRIMARY KEY (subscription_id, day)
) PARTITION BY RANGE (day);
SELECT radius.ensure_index('usage_day_day', 'ON radius.usage_day (day)');

-- The sums of usage_day, so that a month of millions of rows opens at once.
CREATE TABLE IF NOT EXISTS radius.usage_total (
    company_id int NOT NULL,
    plan_id int NOT NULL,
    day date NOT NULL,
    row_count bigint NOT NULL,
    upload_bytes bigint NOT NULL,
    download_bytes bigint NOT NULL,
    session_seconds bigint NOT NULL,
    PRIMARY KEY (company_id, plan_id, day)
) WITH (fillfactor = 50);

-- The last two days by the hour, for the customer's graph of today. Hours are local, because zones
-- like India's do not begin them where UTC does.
CREATE TABLE IF NOT EXISTS radius.usage_hour (
    subscription_id int NOT NULL,
    hour timestamp NOT NULL,
    upload_bytes bigint NOT NULL,
    download_bytes bigint NOT NULL,
    PRIMARY KEY (subscription_id, hour)
) PARTITION BY RANGE (hour);

CREATE OR REPLACE FUNCTION radius.ensure_usage_parts(first date, last date) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    begun date := date_trunc('month', first);
BEGIN
    WHILE begun <= last LOOP
        IF to_regclass('radius.usage_day_' || to_char(begun, 'YYYYMM')) IS NULL THEN
            EXECUTE format('CREATE TABLE radius.%I PARTITION OF radius.usage_day
                FOR VALUES FROM (%L) TO (%L) WITH (fillfactor = 80)',
                'usage_day_' || to_char(begun, 'YYYYMM'), begun, (begun + interval '1 month')::date);
        END IF;
        begun := begun + interval '1 month';
    END LOOP;
    FOR step IN -2..2 LOOP
        begun := current_date + step;
        IF to_regclass('radius.usage_hour_' || to_char(begun, 'YYYYMMDD')) IS NULL THEN
            EXECUTE format('CREATE TABLE radius.%I PARTITION OF radius.usage_hour
                FOR VALUES FROM (%L) TO (%L) WITH (fillfactor = 50)',
                'usage_hour_' || to_char(begun, 'YYYYMMDD'), begun, begun + 1);
        END IF;
    END LOOP;
END $$;

-- Forget the hours of the days before. Returns how many days went.
CREATE OR REPLACE FUNCTION radius.drop_usage_hours() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    part text;
    dropped bigint := 0;
BEGIN
    FOR part IN SELECT relname FROM pg_class
        WHERE relnamespace = 'radius'::regnamespace AND relname ~ '^usage_hour_[0-9]{8}$'
            AND to_date(right(relname, 8), 'YYYYMMDD') < current_date - 2
    LOOP
        EXECUTE format('DROP TABLE radius.%I', part);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;

-- The parts of a report by hour (by day when it is long), by the share of time; they sum up to the
-- whole.
CREATE OR REPLACE FUNCTION radius.split_time(
    begun timestamp, ended timestamp, upload bigint, download bigint, seconds bigint
) RETURNS TABLE (hour timestamp, upload_bytes bigint, download_bytes bigint, session_seconds bigint)
LANGUAGE sql IMMUTABLE AS $$
    SELECT d,
        floor(upload * b.upper)::bigint - floor(upload * b.lower)::bigint,
        floor(download * b.upper)::bigint - floor(download * b.lower)::bigint,
        floor(seconds * b.upper)::bigint - floor(seconds * b.lower)::bigint
    FROM (SELECT extract(epoch FROM ended - begun) AS whole,
            CASE WHEN ended - begun > interval '2 days' THEN 'day' ELSE 'hour' END AS unit) u,
        LATERAL generate_series(date_trunc(u.unit, begun), ended, ('1 ' || u.unit)::interval) d,
        LATERAL (SELECT d + ('1 ' || u.unit)::interval AS next) n,
        LATERAL (SELECT GREATEST(extract(epoch FROM d - begun) / u.whole, 0) AS lower,
            CASE WHEN n.next >= ended THEN 1
                ELSE extract(epoch FROM n.next - begun) / u.whole END AS upper) b
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
    PERFORM radius.ensure_usage_parts(
        (first - interval '63 days')::date, (last + interval '1 day')::date);
    RETURN QUERY
    WITH taken AS MATERIALIZED (
        DELETE FROM radius.usage_delta RETURNING *
    ), placed AS (
        SELECT t.subscription_id, s.company_id, s.plan_id, t.upload_bytes, t.download_bytes,
            t.session_seconds, t.until AT TIME ZONE z.zone AS ended,
            -- A session that nobody heard of for longer is put on the last two months.
            GREATEST(t.since, t.until - interval '62 days') AT TIME ZONE z.zone AS begun
        FROM taken t
        LEFT JOIN public.isp_subscription s ON s.id = t.subscription_id
        CROSS JOIN LATERAL (SELECT COALESCE(zones ->> s.company_id::text, 'UTC')) z (zone)
    ), parts AS MATERIALIZED (
        -- Clocks that are put back may let a report end before it began.
        SELECT subscription_id, company_id, plan_id, date_trunc('hour', ended) AS hour,
            upload_bytes, download_bytes, session_seconds
        FROM placed WHERE date_trunc('hour', begun) >= date_trunc('hour', ended)
        UNION ALL
        SELECT subscription_id, company_id, plan_id, d.hour, d.upload_bytes, d.download_bytes,
            d.session_seconds
        FROM placed CROSS JOIN LATERAL radius.split_time(
            begun, ended, upload_bytes, download_bytes, session_seconds) d
        WHERE date_trunc('hour', begun) < date_trunc('hour', ended)
    ), hours AS (
        INSERT INTO radius.usage_hour AS u
        SELECT subscription_id, hour, sum(upload_bytes), sum(download_bytes)
        FROM parts WHERE hour >= current_date - 2 AND hour < current_date + 3
        GROUP BY subscription_id, hour
        ON CONFLICT (subscription_id, hour) DO UPDATE SET
            upload_bytes = u.upload_bytes + excluded.upload_bytes,
            download_bytes = u.download_bytes + excluded.download_bytes
    ), sums AS MATERIALIZED (
        SELECT subscription_id, hour::date AS day, max(company_id) AS company_id,
            max(plan_id) AS plan_id, sum(upload_bytes) AS upload_bytes,
            sum(download_bytes) AS download_bytes, sum(session_seconds) AS session_seconds
        FROM parts GROUP BY subscription_id, hour::date
    ), days AS (
        INSERT INTO radius.usage_day AS u (subscription_id, day, company_id, plan_id,
            upload_bytes, download_bytes, session_seconds)
        SELECT subscription_id, day, company_id, plan_id, upload_bytes, download_bytes,
            session_seconds
        FROM sums
        ON CONFLICT (subscription_id, day) DO UPDATE SET
            upload_bytes = u.upload_bytes + excluded.upload_bytes,
            download_bytes = u.download_bytes + excluded.download_bytes,
            session_seconds = u.session_seconds + excluded.session_seconds,
            additions = u.additions + 1
        RETURNING subscription_id, day, company_id, plan_id, additions
    ), totals AS (
        INSERT INTO radius.usage_total AS t
        SELECT COALESCE(d.company_id, 0), COALESCE(d.plan_id, 0), day,
            count(*) FILTER (WHERE d.additions = 1), sum(s.upload_bytes), sum(s.download_bytes),
            sum(s.session_seconds)
        FROM days d JOIN sums s USING (subscription_id, day)
        GROUP BY COALESCE(d.company_id, 0), COALESCE(d.plan_id, 0), day
        ON CONFLICT (company_id, plan_id, day) DO UPDATE SET
            row_count = t.row_count + excluded.row_count,
            upload_bytes = t.upload_bytes + excluded.upload_bytes,
            download_bytes = t.download_bytes + excluded.download_bytes,
            session_seconds = t.session_seconds + excluded.session_seconds
    )
    SELECT DISTINCT subscription_id FROM days;
END $$;
