-- Last of the files: rights and the first fill, once everything else is there.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA radius FROM PUBLIC;
-- A new month locks all of them until the upgrade commits; a job makes months ahead, so one is missing
-- at the first installation only.
SELECT radius.ensure_partitions()
WHERE to_regclass('radius.radacct_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMM')) IS NULL;
SELECT radius.resync();
