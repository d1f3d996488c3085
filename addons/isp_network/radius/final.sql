-- Last of the files: rights and the first fill, once everything else is there.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA radius FROM PUBLIC;
-- A new month locks all of them until the upgrade commits, and an index its month. Jobs make both
-- ahead, so that here it is for the first installation only.
DO $$
BEGIN
    IF to_regclass('radius.radacct_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMM')) IS NULL THEN
        PERFORM radius.ensure_partitions();
        PERFORM radius.index_devices();
    END IF;
END $$;
SELECT radius.resync();
