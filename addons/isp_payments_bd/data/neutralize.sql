-- A copy of the database must not ask about, take or give back real money: the job gets nothing to
-- ask, and the credentials of each gateway go below.
UPDATE payment_transaction
   SET gateway_next_ask_at = NULL
 WHERE gateway_next_ask_at IS NOT NULL;
UPDATE payment_provider
   SET bd_connection_state = 'untested',
       bd_connection_text = NULL
 WHERE code IN ('bkash', 'nagad', 'sslcommerz');
UPDATE payment_provider
   SET sslcommerz_store_id = NULL,
       sslcommerz_store_passwd_enc = NULL;
