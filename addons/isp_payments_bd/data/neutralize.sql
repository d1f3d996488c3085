-- A copy of the database must not ask about, take or give back real money: the job has nothing to
-- ask, and each gateway's file below removes its credentials.
UPDATE payment_transaction
   SET gateway_next_ask_at = NULL
 WHERE gateway_next_ask_at IS NOT NULL;
UPDATE payment_provider
   SET bd_connection_state = 'untested',
       bd_connection_text = NULL
 WHERE code IN ('bkash', 'nagad', 'sslcommerz');
UPDATE payment_provider
   SET nagad_merchant_id = NULL,
       nagad_account_number = NULL,
       nagad_private_key_enc = NULL,
       nagad_public_key = NULL,
       nagad_test_url = NULL
 WHERE code = 'nagad';
