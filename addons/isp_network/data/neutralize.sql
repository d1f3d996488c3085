-- A copy of the database must not answer for real routers.
UPDATE isp_nas SET active = false WHERE active;
-- Nor may it end their sessions.
UPDATE isp_network_order SET state = 'gone', next_try = NULL WHERE state IN ('pending', 'sent', 'failed');
DELETE FROM radius.change;
