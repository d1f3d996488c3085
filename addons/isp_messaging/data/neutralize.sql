-- A copy of the database must not write to customers: what waits is held back, the accounts are closed.
UPDATE isp_message
   SET state = 'suppressed',
       reason = 'This is a copy of the database.'
 WHERE state IN ('queued', 'sending');
UPDATE isp_message_gateway
   SET active = FALSE,
       api_token_enc = NULL,
       callback_token_enc = NULL,
       callback_token_bidx = NULL,
       connection_state = 'untested',
       connection_text = NULL;
