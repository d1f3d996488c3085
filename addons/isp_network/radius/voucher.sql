-- Vouchers log in like everybody else: each one that may be used has a row in radius.login, whose
-- id is the voucher's own with a minus sign.

-- The first login with a voucher, from which its time runs. Odoo's own table is not written here:
-- a module upgrade may hold it, and a login must not wait. A job of Odoo takes this over.
CREATE TABLE IF NOT EXISTS radius.voucher_use (
    voucher_id int PRIMARY KEY,
    first_used_at timestamp NOT NULL,
    valid_until timestamp NOT NULL,
    mac text
);

CREATE OR REPLACE FUNCTION radius.desired_vouchers() RETURNS SETOF radius.login
LANGUAGE sql STABLE AS $$
    SELECT -v.id, NULL::int, lower(v.code)::text, NULLIF(v.nt_secret, '')::text,
        CASE WHEN v.sale_state = 'cancelled' OR (b.sold_only AND v.sale_state <> 'sold')
            OR b.state <> 'printed' THEN 'none' ELSE 'full' END,
        CASE WHEN v.sale_state = 'cancelled' OR b.state <> 'printed' THEN 'cancelled'
            WHEN b.sold_only AND v.sale_state <> 'sold' THEN 'unsold' END,
        NULLIF(p.download_kbps, 0), NULLIF(p.upload_kbps, 0),
        NULLIF(p.burst_download_kbps, 0), NULLIF(p.burst_upload_kbps, 0),
        NULLIF(p.burst_threshold_download_kbps, 0), NULLIF(p.burst_threshold_upload_kbps, 0),
        NULLIF(p.burst_time_s, 0), NULLIF(p.priority, 0),
        NULL::text, NULLIF(p.framed_pool, '')::text, NULLIF(p.ipv6_pool, '')::text, NULL::text,
        NULLIF(p.address_list, '')::text, NULLIF(p.simultaneous_use, 0),
        NULLIF(p.session_timeout_s, 0), NULLIF(p.idle_timeout_s, 0),
        NULLIF(p.interim_interval_s, 0), NULL::text,
        COALESCE(u.valid_until, b.sell_by), NULLIF(v.chap_secret, '')::text, NULL::text,
        'hotspot', CASE WHEN b.device_lock > 0 THEN 'first_use' END, NULLIF(b.device_lock, 0),
        NULL::timestamp, v.id, CASE WHEN u.voucher_id IS NULL THEN b.valid_seconds END
    FROM public.isp_voucher v
    JOIN public.isp_voucher_batch b ON b.id = v.batch_id
    JOIN public.isp_plan p ON p.id = b.plan_id
    LEFT JOIN radius.voucher_use u ON u.voucher_id = v.id
    WHERE v.code <> ''
$$;

CREATE OR REPLACE FUNCTION radius.sync_voucher() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = radius, pg_temp AS $$
BEGIN
    DELETE FROM login WHERE id = -COALESCE(NEW.id, OLD.id);
    IF TG_OP = 'DELETE' THEN
        DELETE FROM voucher_use WHERE voucher_id = OLD.id;
        DELETE FROM device WHERE login_id = -OLD.id;
    ELSE
        INSERT INTO login SELECT * FROM desired_vouchers() d WHERE d.voucher_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;

-- What stands on the batch concerns all its vouchers.
CREATE OR REPLACE FUNCTION radius.sync_batch() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = radius, pg_temp AS $$
BEGIN
    DELETE FROM login WHERE id IN (
        SELECT -v.id FROM public.isp_voucher v WHERE v.batch_id = NEW.id);
    INSERT INTO login SELECT d.* FROM public.isp_voucher v, desired_vouchers() d
        WHERE v.batch_id = NEW.id AND d.voucher_id = v.id;
    RETURN NULL;
END $$;

-- A plan that changes is seldom, and its vouchers follow.
CREATE OR REPLACE FUNCTION radius.sync_plan_vouchers() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = radius, pg_temp AS $$
DECLARE
    batch int;
BEGIN
    FOR batch IN SELECT id FROM public.isp_voucher_batch WHERE plan_id = NEW.id LOOP
        DELETE FROM login WHERE id IN (
            SELECT -v.id FROM public.isp_voucher v WHERE v.batch_id = batch);
        INSERT INTO login SELECT d.* FROM public.isp_voucher v, desired_vouchers() d
            WHERE v.batch_id = batch AND d.voucher_id = v.id;
    END LOOP;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER radius_sync AFTER INSERT OR UPDATE OR DELETE ON public.isp_voucher
    FOR EACH ROW EXECUTE FUNCTION radius.sync_voucher();
CREATE OR REPLACE TRIGGER radius_sync AFTER UPDATE ON public.isp_voucher_batch
    FOR EACH ROW EXECUTE FUNCTION radius.sync_batch();
CREATE OR REPLACE TRIGGER radius_sync_vouchers AFTER UPDATE ON public.isp_plan
    FOR EACH ROW EXECUTE FUNCTION radius.sync_plan_vouchers();
