-- The login role of FreeRADIUS, for a PostgreSQL server of your own. To be run once per database
-- by a database administrator; isp_network then gives the role its rights:
--
--   psql -d DATABASE -v password="$(openssl rand -hex 24)" -f radius_role.sql
--
-- FreeRADIUS reads the same password from the file RADIUS_DB_PASSWORD_FILE names. On FreeRADIUS'
-- side at most 10 connections per server are used, so CONNECTION LIMIT 40 is enough for four.

SELECT 'CREATE ROLE radius_ro'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'radius_ro') \gexec

ALTER ROLE radius_ro LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT CONNECTION LIMIT 40
    PASSWORD :'password';
-- An accounting packet lost with the power is sent again by the router.
ALTER ROLE radius_ro SET synchronous_commit = off;

-- Where isp_network is installed already; otherwise its installation does this.
SELECT 'SELECT radius.grant_access(''radius_ro'')'
WHERE to_regnamespace('radius') IS NOT NULL \gexec
