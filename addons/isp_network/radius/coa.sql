-- What sessions that are online have been told, and which routers answer.

-- One row per subscription and transaction that changed its entitlement: what RADIUS answered
-- before. Odoo compares it with what RADIUS answers at the end of the transaction; rows that nobody
-- handled (written by SQL, or the session was just being set up) are found by a job a little later.
CREATE TABLE IF NOT EXISTS radius.change (
    subscription_id int NOT NULL,
    xact bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    told jsonb NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (subscription_id, xact)
);

-- Written by the job that talks to the router, and its lock. Kept out of isp_nas, so that neither
-- who edits the router nor the trigger that feeds radius.client has anything to do with it.
CREATE TABLE IF NOT EXISTS radius.nas_contact (
    nas_id int PRIMARY KEY,
    answered_at timestamp,
    silent_since timestamp,
    silences int NOT NULL DEFAULT 0,
    retry_at timestamp
);
-- When the RouterOS API may be tried again as the second way.
SELECT radius.ensure_columns('radius.nas_contact', 'api_retry_at timestamp');

-- All that RADIUS would answer to a login now, and until when; the service alone decides a reject.
CREATE OR REPLACE FUNCTION radius.told(login_name text, nas_address text DEFAULT NULL)
RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = radius, pg_temp AS $$
BEGIN
    RETURN COALESCE(
        (SELECT jsonb_build_object('service', service(l.access, l.valid_until),
            'until', extract(epoch FROM l.valid_until))
         FROM login l WHERE l.username = login_name
         ORDER BY l.access = 'none', l.id DESC LIMIT 1),
        '{"service": "reject", "until": null}'::jsonb
    ) || COALESCE(
        (SELECT jsonb_object_agg(r.attribute, r.value) FROM (
            SELECT attribute, string_agg(value, '|' ORDER BY value) AS value
            FROM reply_items(login_name, nas_address) GROUP BY attribute) r),
        '{}'::jsonb
    );
END $$;

-- Runs before radius.login follows, so the answer is still the old one.
CREATE OR REPLACE FUNCTION radius.note_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = radius, pg_temp AS $$
DECLARE
    unheard text[] := ARRAY['write_uid', 'write_date', 'nt_secret'];
BEGIN
    IF OLD.username <> '' AND to_jsonb(OLD) - unheard IS DISTINCT FROM to_jsonb(NEW) - unheard THEN
        INSERT INTO change (subscription_id, told)
        VALUES (OLD.subscription_id, told(lower(OLD.username)))
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER radius_change BEFORE UPDATE ON public.isp_entitlement
    FOR EACH ROW EXECUTE FUNCTION radius.note_change();

REVOKE ALL ON FUNCTION radius.told(text, text), radius.note_change() FROM PUBLIC;
