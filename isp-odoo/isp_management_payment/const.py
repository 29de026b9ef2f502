from datetime import timedelta

# Odoo's code of a provider -> the engine's kind of gateway.
KINDS = {"isp_midtrans": "midtrans", "isp_tripay": "tripay", "isp_duitku": "duitku"}
# Those that give money back by their API.
REFUNDS = {"isp_midtrans"}
# The provider's own QRIS code: no gateway is asked, and the bank tells of the money.
OWN = "isp_qris"
# Odoo's payment method -> how the customer pays at a gateway. Odoo has no method for the tills of shops.
CHANNELS = {
    "qris": "qris", "bank_bca": "va-bca", "bni": "va-bni", "bri": "va-bri", "mandiri": "va-mandiri", "bank_permata": "va-permata",
    "cimb_niaga": "va-cimb", "bsi": "va-bsi",
}
# What is on from the beginning.
DEFAULT_METHODS = {"qris", "bank_bca", "bni", "bri", "mandiri"}
WEBHOOK = "/payment/isp/webhook/%s"
PAGE = "/payment/isp/pay/%s"
# So long a lost webhook is asked about, and a provider that was switched off still hears.
ASKED_ABOUT = timedelta(days=4)
