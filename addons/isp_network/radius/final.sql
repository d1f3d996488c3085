-- Last of the files: rights and the first fill, once everything else is there.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA radius FROM PUBLIC;
SELECT radius.ensure_partitions();
SELECT radius.resync();
