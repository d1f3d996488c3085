-- Months of accounting, login attempts and usage: what there is, and how a month goes as a whole.

-- attached is false for a month that was taken out and not dropped yet: a crash lay between.
CREATE OR REPLACE FUNCTION radius.stored_months()
RETURNS TABLE (part text, kind text, month date, attached boolean, row_estimate bigint, bytes bigint)
LANGUAGE sql STABLE AS $$
    SELECT c.relname::text, substring(c.relname from '^(.*)_[0-9]{6}$'),
        to_date(right(c.relname, 6), 'YYYYMM'),
        EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid),
        GREATEST(c.reltuples, 0)::bigint, pg_total_relation_size(c.oid)
    FROM pg_class c
    WHERE c.relnamespace = 'radius'::regnamespace AND c.relkind = 'r'
        AND c.relname ~ '^(radacct|radpostauth|usage_day)_[0-9]{6}$'
$$;

-- Take a month out. The lock on the whole table is held for the moment of the change only, and not
-- waited for longer than FreeRADIUS waits: behind a long report every packet would queue.
CREATE OR REPLACE FUNCTION radius.detach_month(part text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    found record;
BEGIN
    SELECT * INTO STRICT found FROM radius.stored_months() m WHERE m.part = detach_month.part;
    IF found.attached THEN
        SET LOCAL lock_timeout = '200ms';
        EXECUTE format('ALTER TABLE radius.%I DETACH PARTITION radius.%I', found.kind, found.part);
        SET LOCAL lock_timeout = 0;
    END IF;
END $$;

-- Drop a month that was taken out: nobody but a reader of this table waits for it.
CREATE OR REPLACE FUNCTION radius.drop_month(part text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    found record;
BEGIN
    SELECT * INTO STRICT found FROM radius.stored_months() m WHERE m.part = drop_month.part;
    IF found.attached THEN
        RAISE EXCEPTION 'radius.% is still part of %', found.part, found.kind;
    END IF;
    EXECUTE format('DROP TABLE radius.%I', found.part);
    IF found.kind = 'usage_day' THEN
        DELETE FROM radius.usage_total
        WHERE day >= found.month AND day < found.month + interval '1 month';
    END IF;
END $$;
