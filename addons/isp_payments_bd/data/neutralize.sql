-- A copy of the database must not ask about, take or give back real money: the job gets nothing to
-- ask, and the credentials of each gateway go below.
UPDATE payment_transaction
   SET gateway_next_ask_at = NULL
 WHERE gateway_next_ask_at IS NOT NULL;
UPDATE payment_provider
   SET bd_connection_state = 'untested',
       bd_connection_text = NULL
 WHERE code IN ('bkash', 'nagad', 'sslcommerz');

-- bKash
UPDATE payment_provider
   SET bkash_username = NULL,
       bkash_password_enc = NULL,
       bkash_app_key = NULL,
       bkash_app_secret_enc = NULL,
       bkash_sns_topic = NULL;
DELETE FROM isp_bkash_login;
UPDATE payment_token
   SET bkash_to_cancel = FALSE
 WHERE bkash_to_cancel;
UPDATE isp_gateway_receipt
   SET next_ask_at = NULL
 WHERE next_ask_at IS NOT NULL;

-- Nagad
UPDATE payment_provider
   SET nagad_merchant_id = NULL,
       nagad_account_number = NULL,
       nagad_private_key_enc = NULL,
       nagad_public_key = NULL,
       nagad_test_url = NULL
 WHERE code = 'nagad';

-- SSLCommerz
UPDATE payment_provider
   SET sslcommerz_store_id = NULL,
       sslcommerz_store_passwd_enc = NULL;
