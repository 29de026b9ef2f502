-- A copied database reaches no router and no phone: what it would log in with is gone, and the addresses lead nowhere.
UPDATE isp_router
   SET host = 'neutralized.invalid', password_sealed = NULL, state = 'unknown', tls_fingerprint = NULL;
UPDATE isp_channel
   SET base_url = 'https://neutralized.invalid', access_token_sealed = NULL, app_secret_sealed = NULL, verify_token_sealed = NULL,
       state = 'unknown';
-- Nor does what waits leave when somebody types a token in to try.
UPDATE isp_notification
   SET state = 'dropped', error_code = 'notification.neutralized', error = 'written in another database'
 WHERE state IN ('queued', 'sending');
-- Crons that call out stay off, also when somebody switches the others on.
UPDATE ir_cron
   SET active = false
 WHERE id IN (SELECT res_id FROM ir_model_data WHERE module = 'isp_management' AND model = 'ir.cron');
-- Files that somebody was about to import hold passwords of routers.
DELETE FROM isp_spreadsheet_wizard;
-- No link that was sent opens a page of the copy.
UPDATE isp_customer SET page_token = NULL, page_number = NULL;
