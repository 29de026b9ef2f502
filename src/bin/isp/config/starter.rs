//! The settings file that `isp init` writes.

use isp_core::text::{Language, Name};

/// What `isp init` writes: every setting that most providers touch, with what it means.
pub(crate) fn starter(database: &str, key_file: &str, language: Language, name: Option<&Name>) -> String {
    let language = language.code();
    // A table that is named is one that holds; without a name its lines are only shown.
    let (on, name) = match name {
        Some(name) => ("", toml::Value::from(name.as_str()).to_string()),
        None => ("# ", r#""...""#.to_owned()),
    };
    format!(
        r#"# Settings of isp. Order: flags, then ISP_... variables, then this file, then defaults. See docs/cli.md.

database = "{database}"         # or postgres://user@host/name; a relative path starts at this folder
key_file = "{key_file}"         # seals NIK and passwords; keep a copy apart from the database
language = "{language}"

[policy.billing]
issue_lead_days = 0             # days before a period starts on which its invoice is issued
payment_terms_days = 10         # days from issue to due date
catch_up_periods = 12           # a run never bills more periods of one line than this

[policy.dunning]
due_soon_days = [3]             # reminders so many days before the due date
overdue_days = [3]              # and after it
quiet_until = "08:00"           # no reminder before this local time
quiet_from = "20:00"            # and none from this time on

[policy.isolation]
isolate_after_days = 5          # days past the due date
isolate_from = 10000            # nobody is isolated for less than this overdue (rupiah); 0: for any debt
isolate_at = "10:00"            # not before this local time
on_weekends = false
public_holidays = "all"         # national holidays and joint leave; "national", or "none"; see isp holidays
holidays = []                   # your own days, such as ["2026-07-18"]
breaker_count = 20              # a run that would isolate more lines of a router than this
breaker_percent = 10            # and more than this share of its lines asks for approval

[policy.tax]
pkp = true                      # false: no PPN is charged

# [mikrotik]
# isolation_profile = "isolir"  # the PPP profile of isolated lines; made when it is not there
# pool = "..."                  # pool of the profiles that isp makes; it must exist on the router

{on}[provider]                    # who asks in messages, and how to pay; see docs/templates.md
{on}name = {name}                  # your name, as customers know it; without it no reminder leaves
# pay_to = ["BCA 1234567890 a.n. ...", "kantor, jam 8-16"]
# contact = "0812..."

# [paper]                       # what stands on invoices and receipts besides: isp invoice print, isp receipt print
# address = ["Jl. ... No. ..", "Kota ..."]
# npwp = "..."
# logo = "logo.png"             # PNG, JPEG or WEBP, 512 KB at most
# size = "A4"                   # or "A5"

# [payment]                     # for isp payment-request
# qris = "00020101021126..."    # the text of your own static QRIS code, as a scanner of codes shows it

# [gateway.tripay]              # midtrans, xendit, tripay or duitku; see docs/cli.md
# sandbox = true
# merchant = "T0001"
# key_file = "tripay.key"       # or ISP_GATEWAY__TRIPAY__KEY
# webhook_key_file = "tripay.private"
# email = "tagihan@..."         # yours, for each payer

# [snap.bca-va]                 # a bank that asks what is owed (SNAP BI); see docs/serve.md
# service_id = "88899"          # your number at the bank
# client_key = "..."            # as the bank calls itself when it wants a token
# partner_id = "..."            # as it calls itself in each call
# public_key_file = "bca.pem"
# client_secret_file = "bca.secret"
# token_key_file = "bca.token-key"       # 32 signs or more that nobody else knows

# [whatsapp]
# phone_number_id = "..."       # Meta's id of the sending number
# access_token_file = "whatsapp.token"   # or ISP_WHATSAPP__ACCESS_TOKEN
"#
    )
}
