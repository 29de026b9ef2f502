"""Types of the native module, by area. It is one module at run time. ``tests/test_types.py`` and stubtest hold them against it."""

from typing import Final

from isp_engine._isp_engine.billing import *
from isp_engine._isp_engine.cases import *
from isp_engine._isp_engine.gateways import *
from isp_engine._isp_engine.isolation import *
from isp_engine._isp_engine.messages import *
from isp_engine._isp_engine.payments import *
from isp_engine._isp_engine.people import *
from isp_engine._isp_engine.policies import *
from isp_engine._isp_engine.routers import *
from isp_engine._isp_engine.simulators import *
from isp_engine._isp_engine.spreadsheets import *
from isp_engine.records import Reason, TemplateKind

__all__ = [
    "BillingPolicy",
    "ClockPolicy",
    "DunningPolicy",
    "IsolationPolicy",
    "LateFeePolicy",
    "Nik",
    "OutagePolicy",
    "PARAMETERS",
    "Phone",
    "PromisePolicy",
    "REASONS",
    "SENDER_PARAMETERS",
    "SimulatedGateway",
    "SimulatedRouter",
    "SimulatedWhatsApp",
    "TaxPolicy",
    "WORDS",
    "__version__",
    "allocate",
    "answer_subscription",
    "apply_routers",
    "ask_gateway",
    "ask_payments",
    "cancel_at_gateway",
    "case_lacks",
    "check_clock",
    "check_exemptions",
    "check_promises",
    "check_proofs",
    "check_transfers",
    "compare_case",
    "correct_invoices",
    "decide_by_hand",
    "decide_isolation",
    "decide_terms",
    "due_reminders",
    "end_records",
    "explain",
    "fee_paid",
    "fold_statuses",
    "format_rupiah",
    "gateway_acknowledgement",
    "gateway_refund_status",
    "gateway_status",
    "import_secrets",
    "installation_fees",
    "isolation_credits",
    "join_notices",
    "late_fees",
    "late_fees_again",
    "late_fees_back",
    "match_requests",
    "observe_routers",
    "outage_credits",
    "overdue",
    "parse_ip_address",
    "parse_mac",
    "parse_nik",
    "parse_niks",
    "parse_phone",
    "parse_phones",
    "payment_identity",
    "plan_billing",
    "plan_routers",
    "ppn",
    "preview_messages",
    "prices_on",
    "profit_loss",
    "public_holidays",
    "qris_asking",
    "qris_shop",
    "read_case",
    "receive_gateway_webhook",
    "receive_payments",
    "receive_webhook",
    "refresh_messages",
    "refund_at_gateway",
    "review_proofs",
    "router_status",
    "send_messages",
    "sums_owed",
    "template_registrations",
    "unpaid_when_late",
    "verify_webhook",
    "write_offs",
    "read_spreadsheets",
]

__version__: Final[str]
REASONS: Final[tuple[Reason, ...]]
WORDS: Final[dict[str, tuple[str, ...]]]
PARAMETERS: Final[dict[TemplateKind, tuple[str, ...]]]
SENDER_PARAMETERS: Final[dict[TemplateKind, tuple[str, ...]]]
