-- A copy of the database must not answer for real routers.
UPDATE isp_nas SET active = false WHERE active;
